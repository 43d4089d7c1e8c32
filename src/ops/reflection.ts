/** Server reflection (v1 and v1alpha), so that generic clients such as grpcurl and `buf curl` know the API. */
import { resolve } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
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

/** The reflection service of the client listener. */
export function clientReflection(): { addToServer(server: Server): void } {
  const definition = loadSync([...files, healthProto], { includeDirs: [protoDirectory], keepCase: true });
  return new ReflectionService(withCompleteDescriptors(definition), { services: [...reflectedServices] });
}

/**
 * The descriptors of a definition, completed so that strict clients can link them. They hang on a single entry: the
 * reflection service decodes what each entry has, and each type of a definition has the descriptors of all.
 */
function withCompleteDescriptors(definition: PackageDefinition): PackageDefinition {
  const type = required(Object.values(definition).find(hasDescriptors), 'the protocol has a message');
  const descriptors = type.fileDescriptorProtos.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  completeDescriptors(descriptors);
  const fileDescriptorProtos = descriptors.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  return { all: { ...type, fileDescriptorProtos } };
}

/** Services in a definition are plain maps of methods and hold no descriptors. */
function hasDescriptors(type: AnyDefinition): type is MessageTypeDefinition<object, object> {
  return Array.isArray(type.fileDescriptorProtos);
}
