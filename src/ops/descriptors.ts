/**
 * Completes the descriptors that protobufjs makes, which lack what strict clients (`buf curl`, protobuf-go) insist on:
 * imports, full type names, names for JSON, and the prescribed names of map entries (grpc/grpc-node issue 2595 tells of
 * the first).
 */
import type { DescriptorProto, FieldDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/** Changes the descriptors in place. They must hold every type they refer to. */
export function completeDescriptors(files: readonly FileDescriptorProto[]): void {
  for (const file of files) for (const message of file.messageType) renameMapEntries(message);
  const homes = new Map<string, FileDescriptorProto>();
  for (const file of files) indexTypes(file, homes);
  for (const file of files) completeFile(file, homes);
}

/** The entry type of `map<..> some_names` is called `SomeNamesEntry`. */
function renameMapEntries(message: DescriptorProto): void {
  for (const nested of message.nestedType) {
    renameMapEntries(nested);
    if (nested.options?.mapEntry !== true) continue;
    const field = message.field.find(({ typeName }) => typeName === nested.name);
    if (field === undefined) continue;
    const camelCase = field.name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    nested.name = `${camelCase}Entry`;
    field.typeName = nested.name;
  }
}

function indexTypes(file: FileDescriptorProto, homes: Map<string, FileDescriptorProto>): void {
  const visit = (scope: string, message: DescriptorProto) => {
    const name = `${scope}.${message.name}`;
    homes.set(name, file);
    for (const nested of message.nestedType) visit(name, nested);
    for (const { name: enumName } of message.enumType) homes.set(`${name}.${enumName}`, file);
  };
  for (const message of file.messageType) visit(file.package, message);
  for (const { name } of file.enumType) homes.set(`${file.package}.${name}`, file);
}

function completeFile(file: FileDescriptorProto, homes: ReadonlyMap<string, FileDescriptorProto>): void {
  const imports = new Set<string>();
  const fullName = (scope: string, name: string) => {
    const found = resolveName(scope, name, homes);
    if (found === undefined) return name;
    const home = homes.get(found);
    if (home !== undefined && home !== file) imports.add(home.name);
    return `.${found}`;
  };
  const visit = (scope: string, message: DescriptorProto) => {
    const name = `${scope}.${message.name}`;
    for (const field of message.field) completeField(field, (type) => fullName(name, type));
    for (const nested of message.nestedType) visit(name, nested);
  };
  for (const message of file.messageType) visit(file.package, message);
  for (const method of file.service.flatMap((service) => service.method)) {
    method.inputType = fullName(file.package, method.inputType);
    method.outputType = fullName(file.package, method.outputType);
  }
  file.dependency = [...imports].sort();
}

function completeField(field: FieldDescriptorProto, fullName: (type: string) => string): void {
  field.jsonName = field.name.replace(/_([a-z0-9A-Z])/g, (_, letter: string) => letter.toUpperCase());
  if (field.typeName !== '') field.typeName = fullName(field.typeName);
}

/** Protobuf's rule: the innermost scope that knows the name wins. */
function resolveName(scope: string, name: string, homes: ReadonlyMap<string, unknown>): string | undefined {
  if (name.startsWith('.')) return homes.has(name.slice(1)) ? name.slice(1) : undefined;
  for (let within = scope; ; within = within.slice(0, Math.max(within.lastIndexOf('.'), 0))) {
    const candidate = within === '' ? name : `${within}.${name}`;
    if (homes.has(candidate)) return candidate;
    if (within === '') return undefined;
  }
}
