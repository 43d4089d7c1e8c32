/** `MaintenanceService.GetSettings` and `UpdateSettings`: settings of the whole cluster. */
import { assert } from '../../../base/assert';
import type {
  GetSettingsResponse,
  Settings,
  UpdateSettingsRequest,
  UpdateSettingsResponse,
} from '../../../gen/quorate/v1/maintenance';
import type { KvReader, Result } from '../../../kv/result';
import type { CallContext, Proposer } from '../../../node/call';
import type { ReadGate } from '../../read-gate';
import { checkedRequestId } from '../../request-ids';
import { invalid } from '../../validate';
import { isReplayed, mutate, type RequestBounds } from '../mutation';

/** What the calls need of a member. */
export interface SettingsNeeds extends Pick<RequestBounds, 'wallClock'> {
  readonly proposer: Pick<Proposer<Result>, 'propose'>;
  readonly reader: Pick<KvReader, 'quotaBytes'>;
  readonly reads: Pick<ReadGate, 'linearizable'>;
}

export async function getSettings(
  { reader, reads }: Pick<SettingsNeeds, 'reader' | 'reads'>,
  call: CallContext,
): Promise<GetSettingsResponse> {
  await reads.linearizable(call);
  return { settings: settingsOf(reader) };
}

export async function updateSettings(
  needs: SettingsNeeds,
  request: UpdateSettingsRequest,
  call: CallContext,
): Promise<UpdateSettingsResponse> {
  const requestId = checkedRequestId(request.requestId, needs.wallClock());
  const quotaBytes = checkedQuota(request.quotaBytes);
  const replayed = await mutate(
    needs,
    {
      command: { requestId, command: { kind: 'configure', quotaBytes } },
      answer(result) {
        assert(result.kind === 'done', 'settings are changed, or were so already');
        return isReplayed(result);
      },
    },
    call,
  );
  return { settings: settingsOf(needs.reader), replayed };
}

function settingsOf({ quotaBytes }: SettingsNeeds['reader']): Settings {
  return { quotaBytes };
}

function checkedQuota(quotaBytes: bigint | undefined): number | undefined {
  if (quotaBytes === undefined) return undefined;
  const bytes = Number(quotaBytes);
  if (bytes >= 0 && Number.isSafeInteger(bytes)) return bytes;
  throw invalid('quota_bytes', 'is out of range', { limit: '0 to 2^53 - 1', actual: String(quotaBytes) });
}
