/** The descriptors of the API, and what is made of them. What reads them takes a tenth of a second to load: see `describeApi`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createFileRegistry, type FileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { PackageDefinition } from '@grpc/proto-loader';

/** The descriptors of everything below `proto/`, made when the stubs are (`npm run generate`). */
const descriptorsPath = resolve(__dirname, '../gen/descriptors.binpb');

/** Not for clients: the API of the members among each other. */
const hiddenPackage = 'quorate.peer.v1';

/** etcd's packages: of its API alone there is a form in JSON. */
const jsonPackages: ReadonlySet<string> = new Set(['etcdserverpb', 'v3lockpb', 'v3electionpb']);

/** Reads the descriptors of all files that clients may know. */
export function readDescriptors(): readonly FileDescriptorProto[] {
  const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsPath));
  return file.filter((each) => each.package !== hiddenPackage);
}

/** The messages and services that can also be read and written as JSON. */
export function jsonRegistryOf(files: readonly FileDescriptorProto[]): FileRegistry {
  const byName = new Map(files.map((file) => [file.name, file]));
  const roots = files.filter((file) => jsonPackages.has(file.package));
  return createFileRegistry(...roots.map((file) => createFileRegistry(file, (name) => byName.get(name))));
}

/** The reflection service looks at nothing of a package but its descriptors, and takes them from any entry. */
export function packageOf(files: readonly FileDescriptorProto[]): PackageDefinition {
  const fileDescriptorProtos = files.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  return {
    all: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  } as unknown as PackageDefinition;
}
