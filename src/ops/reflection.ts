/** Server reflection (v1 and v1alpha), so that generic clients such as grpcurl and `buf curl` know the API. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

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

/** The API as it is described at run time. */
export interface ApiDescription {
  /** The reflection service of the client listener. */
  readonly reflection: { addToServer(server: Pick<Server, 'addService'>): void };
  /** The messages and services that can also be read and written as JSON. */
  readonly jsonProtos: FileRegistry;
}

/** Reads the descriptors. */
export function describeApi(): ApiDescription {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsPath));
  const files = file.filter((each) => each.package !== hiddenPackage);
  return {
    reflection: new ReflectionService(packageOf(files), { services: [...reflectedServices] }),
    jsonProtos: registryOf(files),
  };
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
