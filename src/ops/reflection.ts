/** Server reflection (v1 and v1alpha), so that generic clients such as grpcurl and `buf curl` know the API. */
import { resolve } from 'node:path';
import { createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { loadSync, type AnyDefinition, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import { required } from '../base/assert';
import { completeDescriptors } from './descriptors';

/** `proto/` lies beside `dist/`, in the repository, in the package and in the container. */
const protoDirectory = resolve(__dirname, '../../proto');

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

/** The error details are there so that clients can show what `grpc-status-details-bin` holds. */
const files = [
  'quorate/v1/kv.proto',
  'quorate/v1/lease.proto',
  'quorate/v1/lock.proto',
  'quorate/v1/election.proto',
  'quorate/v1/cluster.proto',
  'quorate/v1/maintenance.proto',
  'etcd/etcdserverpb/kv.proto',
  'etcd/etcdserverpb/watch.proto',
  'etcd/etcdserverpb/lease.proto',
  'etcd/etcdserverpb/cluster.proto',
  'etcd/etcdserverpb/maintenance.proto',
  'etcd/etcdserverpb/auth.proto',
  'etcd/v3lockpb/lock.proto',
  'etcd/v3electionpb/election.proto',
  'google/rpc/error_details.proto',
  'google/rpc/status.proto',
];

/** etcd's packages: of its API alone there is a form in JSON. */
const jsonPackages: ReadonlySet<string> = new Set(['etcdserverpb', 'v3lockpb', 'v3electionpb']);

/** The API as it is described at run time. */
export interface ApiDescription {
  /** The reflection service of the client listener. */
  readonly reflection: { addToServer(server: Server): void };
  /** The messages and services that can also be read and written as JSON. */
  readonly jsonProtos: FileRegistry;
}

/** Reads the protos. */
export function describeApi(): ApiDescription {
  const definition = loadSync([...files, healthProto], { includeDirs: [protoDirectory], keepCase: true });
  const type = required(Object.values(definition).find(hasDescriptors), 'the protocol has a message');
  // Each type of a definition has the descriptors of all.
  const descriptors = type.fileDescriptorProtos.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  completeDescriptors(descriptors);
  return {
    reflection: new ReflectionService(withDescriptors(type, descriptors), { services: [...reflectedServices] }),
    jsonProtos: registryOf(descriptors),
  };
}

function registryOf(files: readonly FileDescriptorProto[]): FileRegistry {
  const byName = new Map(files.map((file) => [file.name, file]));
  const roots = files.filter((file) => jsonPackages.has(file.package));
  return createFileRegistry(...roots.map((file) => createFileRegistry(file, (name) => byName.get(name))));
}

/** All descriptors, on a single entry: the reflection service decodes what each entry has. */
function withDescriptors(
  type: MessageTypeDefinition<object, object>,
  descriptors: readonly FileDescriptorProto[],
): PackageDefinition {
  const fileDescriptorProtos = descriptors.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  return { all: { ...type, fileDescriptorProtos } };
}

/** Services in a definition are plain maps of methods and hold no descriptors. */
function hasDescriptors(type: AnyDefinition): type is MessageTypeDefinition<object, object> {
  return Array.isArray(type.fileDescriptorProtos);
}
