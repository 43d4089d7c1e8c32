/** Server reflection (v1 and v1alpha), so that generic clients such as grpcurl and `buf curl` know the API. */
import { resolve } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProto } from 'grpc-health-check';
import { completeDescriptors } from './descriptors';

/** `proto/` lies beside `dist/`, in the repository, in the package and in the container. */
const protoDirectory = resolve(__dirname, '../../proto');

/** The services a client can call on the client listener. */
const reflectedServices = [
  'quorate.v1.KVService',
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

/** The same definition, with descriptors that strict clients can link. */
function withCompleteDescriptors(definition: PackageDefinition): PackageDefinition {
  const byName = new Map<string, FileDescriptorProto>();
  for (const { fileDescriptorProtos } of Object.values(definition)) {
    // Services in the definition are plain maps of methods and hold no descriptors.
    for (const bytes of Array.isArray(fileDescriptorProtos) ? fileDescriptorProtos : []) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      byName.set(file.name, file);
    }
  }
  const descriptors = [...byName.values()];
  completeDescriptors(descriptors);
  const fileDescriptorProtos = descriptors.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  return Object.fromEntries(
    Object.entries(definition).map(([name, type]) => [name, { ...type, fileDescriptorProtos }]),
  ) as PackageDefinition;
}
