/** Server reflection (v1 and v1alpha), so that generic clients such as grpcurl and `buf curl` know the API. */
import type { FileRegistry } from '@bufbuild/protobuf';
import { type handleBidiStreamingCall, type Server, type ServiceDefinition, status } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { required } from '../base/assert';
import { lazily } from '../base/lazily';
import type * as descriptors from './descriptors';

/** The services a client can call on the client listener. */
const reflectedServices = [
  'quorate.v1.KVService',
  'quorate.v1.LeaseService',
  'quorate.v1.LockService',
  'quorate.v1.ElectionService',
  'quorate.v1.ClusterService',
  'quorate.v1.MaintenanceService',
  'etcdserverpb.KV',
  'etcdserverpb.Watch',
  'etcdserverpb.Lease',
  'etcdserverpb.Cluster',
  'etcdserverpb.Maintenance',
  'etcdserverpb.Auth',
  'v3lockpb.Lock',
  'v3electionpb.Election',
  'grpc.health.v1.Health',
] as const;

/** Either version of the service has this method alone. */
interface Reflecting {
  readonly definition: ServiceDefinition;
  readonly handlers: { readonly ServerReflectionInfo: handleBidiStreamingCall<unknown, unknown> };
}

/** The API as it is described at run time. */
export interface ApiDescription {
  /** The reflection service of the client listener. */
  readonly reflection: { addToServer(server: Pick<Server, 'addService'>): void };
  /** The messages and services that can also be read and written as JSON. */
  readonly jsonProtos: () => Promise<FileRegistry>;
}

/**
 * Reads the descriptors when first asked for what is made of them: with loading what reads them, a fifth of a member's start.
 *
 * @param load brings what reads them
 */
export function describeApi(
  load: () => Promise<typeof descriptors> = () => import('./descriptors.js'),
): ApiDescription {
  const read = lazily(async () => {
    const { readDescriptors, ...makers } = await load();
    return { ...makers, files: readDescriptors() };
  });
  return {
    reflection: reflectionOf(async () => {
      const { packageOf, files } = await read();
      return new ReflectionService(packageOf(files), { services: [...reflectedServices] });
    }),
    jsonProtos: lazily(async () => {
      const { jsonRegistryOf, files } = await read();
      return jsonRegistryOf(files);
    }),
  };
}

/** The service, made at the first call of it. */
function reflectionOf(make: () => Promise<ReflectionService>): ApiDescription['reflection'] {
  const made = lazily(async () => versionsOf(await make()));
  return {
    addToServer: (server) => {
      for (const [at, { definition }] of versionsOf(new ReflectionService({})).entries()) {
        server.addService(definition, {
          ServerReflectionInfo: (call: Parameters<Reflecting['handlers']['ServerReflectionInfo']>[0]) => {
            // What it asks meanwhile waits.
            call.pause();
            made().then(
              (versions) => {
                required(versions[at], 'each version is made').handlers.ServerReflectionInfo(call);
                call.resume();
              },
              (error: unknown) => call.emit('error', { code: status.INTERNAL, details: String(error) }),
            );
          },
        });
      }
    },
  };
}

/** What it would add to a server: v1 and v1alpha. */
function versionsOf(service: ReflectionService): readonly Reflecting[] {
  const versions: Reflecting[] = [];
  const taker = {
    addService: (definition: ServiceDefinition, handlers: Reflecting['handlers']) => {
      versions.push({ definition, handlers });
    },
  };
  service.addToServer(taker);
  return versions;
}
