/** Operations as one line for readers of a trace. */
import type { KeyRange, Operation as Step, PlainCommand } from '../../kv/command';
import { latin1 } from '../model/result-text';
import type { Operation } from './call';

export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'mutation': {
      const { requestId, command } = operation;
      const name = requestId === undefined ? '' : `, as ${Buffer.from(requestId).toString('hex').slice(-8)}`;
      return `${describeCommand(command)}${name}`;
    }
    case 'get':
      return `get ${operation.key} at ${operation.revision}`;
    case 'list':
      return `list ${operation.start}..${operation.end} at ${operation.revision}`;
    case 'select':
      return `select ${describeRange(operation.query.range)} at ${operation.query.revision}`;
    case 'renew':
      return `renew lease ${operation.lease}`;
    case 'lease':
      return `look at lease ${operation.lease}`;
  }
}

function describeCommand(command: PlainCommand): string {
  switch (command.kind) {
    case 'put':
    case 'delete':
    case 'txn':
      return describeStep(command);
    case 'compact':
      return `compact to ${command.revision}`;
    case 'lease-grant':
      return `grant lease ${command.id} for ${command.ttl} s`;
    case 'lease-revoke':
      return `revoke lease ${command.id}`;
    case 'lease-renew':
    case 'lease-expire':
    case 'advance-clock':
    case 'alarm':
    case 'configure':
      return command.kind;
  }
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'put': {
      const lease =
        step.lease === 0n ? '' : ` on lease ${step.lease}${step.grantTtl > 0 ? `, for ${step.grantTtl} s` : ''}`;
      return `put ${latin1(step.key)} = ${latin1(step.value)}${lease}`;
    }
    case 'delete':
      return `delete ${describeRange(step.range)}`;
    case 'range':
      return `read ${describeRange(step.range)}`;
    case 'txn': {
      const [then, otherwise] = [step.success, step.failure].map((steps) => steps.map(describeStep).join(', '));
      return `if ${step.compares.length} things {${then}} else {${otherwise}}`;
    }
  }
}

function describeRange({ start, end }: KeyRange): string {
  return `${latin1(start)}..${end === undefined ? '' : latin1(end).replace('\0', '+')}`;
}
