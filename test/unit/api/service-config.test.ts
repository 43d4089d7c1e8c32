/** The published gRPC service config repeats what may be repeated, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validateServiceConfig } from '@grpc/grpc-js/build/src/service-config';
import { ClusterServiceService } from '../../../src/gen/quorate/v1/cluster';
import { ElectionServiceService } from '../../../src/gen/quorate/v1/election';
import { KVServiceService } from '../../../src/gen/quorate/v1/kv';
import { LeaseServiceService } from '../../../src/gen/quorate/v1/lease';
import { LockServiceService } from '../../../src/gen/quorate/v1/lock';
import { MaintenanceServiceService } from '../../../src/gen/quorate/v1/maintenance';
import { quorumServices } from '../../../src/ops/health';

const text = readFileSync(join(__dirname, '../../../docs/service-config.json'), 'utf8');
const config = validateServiceConfig(JSON.parse(text));

const services = [
  KVServiceService,
  LeaseServiceService,
  LockServiceService,
  ElectionServiceService,
  ClusterServiceService,
  MaintenanceServiceService,
];
const paths = services.flatMap((service) => Object.values(service).map(({ path }: { path: string }) => path));
const repeated = config.methodConfig.flatMap(({ name }) =>
  name.map(({ service, method }) => `/${service ?? ''}/${method ?? ''}`),
);

/** What changes something, or must go on where it stopped. Everything else may be repeated. */
const changing =
  /\/(Put|Delete|DeleteRange|Txn|Write|Grant|Revoke|KeepAlive|Lock|Unlock|Campaign|Proclaim|Resign|Compact|RaiseAlarm|ClearAlarm|UpdateSettings|AddMember|RemoveMember|ReplaceMember|PromoteMember|UpdateMember|ClaimMember|TransferLeadership)$/;

/** A snapshot takes the disk space of the whole state: whoever wants another one asks for it. */
const costly = '/quorate.v1.MaintenanceService/Snapshot';

describe('docs/service-config.json', () => {
  it('repeats every method that changes nothing, by its name, and no other', () => {
    expect(repeated.sort()).toEqual(paths.filter((path) => !changing.test(path) && path !== costly).sort());
  });

  it('spreads calls over the members that health says can serve', () => {
    expect(config.loadBalancingConfig).toEqual([{ round_robin: {} }]);
    const { healthCheckConfig } = JSON.parse(text) as { healthCheckConfig: { serviceName: string } };
    expect(quorumServices).toContain(healthCheckConfig.serviceName);
  });

  it('repeats only when a member says that it is unavailable', () => {
    expect(config.methodConfig.map(({ retryPolicy }) => retryPolicy?.retryableStatusCodes)).toEqual([['UNAVAILABLE']]);
  });
});
