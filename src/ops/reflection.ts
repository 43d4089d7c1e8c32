/** Server reflection (v1 and v1alpha), so that generic clients such as grpcurl and `buf curl` know the API. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { handleBidiStreamingCall, Server, ServiceDefinition } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { required } from '../base/assert';
import { lazily } from '../base/lazily';

/** The descriptors of everything below `proto/`, made when the stubs are (`npm run generate`). */
const descriptorsPath = resolve(__dirname, '../gen/descriptors.binpb');

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

/** Not for clients: the API of the members among each other. */
const hiddenPackage = 'quorate.peer.v1';

/** etcd's packages: of its API alone there is a form in JSON. */
const jsonPackages: ReadonlySet<string> = new Set(['etcdserverpb', 'v3lockpb', 'v3electionpb']);

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
  readonly jsonProtos: () => FileRegistry;
}

/** Reads the descriptors when first asked for what is made of them: that takes a tenth of a member's start. */
export function describeApi(): ApiDescription {
  const files = lazily(() => {
    const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsPath));
    return file.filter((each) => each.package !== hiddenPackage);
  });
  return {
    reflection: reflectionOf(() => new ReflectionService(packageOf(files()), { services: [...reflectedServices] })),
    jsonProtos: lazily(() => registryOf(files())),
  };
}

/** The service, made at the first call of it. */
function reflectionOf(make: () => ReflectionService): ApiDescription['reflection'] {
  const made = lazily(() => versionsOf(make()));
  return {
    addToServer: (server) => {
      for (const [at, { definition }] of versionsOf(new ReflectionService({})).entries()) {
        server.addService(definition, {
          ServerReflectionInfo: (call: Parameters<Reflecting['handlers']['ServerReflectionInfo']>[0]) => {
            required(made()[at], 'each version is made').handlers.ServerReflectionInfo(call);
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

function registryOf(files: readonly FileDescriptorProto[]): FileRegistry {
  const byName = new Map(files.map((file) => [file.name, file]));
  const roots = files.filter((file) => jsonPackages.has(file.package));
  return createFileRegistry(...roots.map((file) => createFileRegistry(file, (name) => byName.get(name))));
}

/** The reflection service looks at nothing of a package but its descriptors, and takes them from any entry. */
function packageOf(files: readonly FileDescriptorProto[]): PackageDefinition {
  const fileDescriptorProtos = files.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  return {
    all: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  } as unknown as PackageDefinition;
}
