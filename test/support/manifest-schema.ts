/** Checks Kubernetes objects against the published schemas: values by validation, unknown fields by the compiler. */
import { join } from 'node:path';
import { StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service, ServiceAccount } from 'kubernetes-models/v1';
import ts from 'typescript';
import type { Manifest } from './manifests';

interface Model {
  validate(): void;
}

const models: Readonly<Record<string, new (data: never) => Model>> = {
  'apps/v1 StatefulSet': StatefulSet,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
};

/** What the schema of its kind says against an object: missing fields, wrong types, values that are not allowed. */
export function schemaProblem(object: Manifest): string | undefined {
  const model = models[`${object.apiVersion} ${object.kind}`];
  if (model === undefined) return `the test knows no ${object.apiVersion} ${object.kind}`;
  try {
    new model(object as never).validate();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Fields that the API does not have. Schemas let them pass, and so does an API server with a warning; the compiler does
 * not, when the object is written out as a literal of the schema's type.
 */
export function unknownFields(objects: readonly Manifest[]): readonly string[] {
  const file = join(__dirname, 'manifests-as-literals.ts');
  const text = objects
    .map(({ apiVersion, kind, ...rest }, at) => {
      const literal = JSON.stringify({ apiVersion, kind, ...rest });
      return `export const object${String(at)}: import('kubernetes-models/${apiVersion}').I${kind} = ${literal};`;
    })
    .join('\n');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    lib: ['lib.es2023.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const readFile = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...more) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : readFile(name, ...more);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
