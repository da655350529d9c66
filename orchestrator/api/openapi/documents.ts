import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { explainErrors, type Violation } from './explain-error.ts';
import {
  loadSpecificationFiles,
  resolveReference,
  type JsonObject,
  type SpecificationFiles,
} from './load-documents.ts';
import { undescribedMembers } from './undescribed-members.ts';

/** What a value violates first, or nothing. */
export type Check = (value: unknown) => Violation | undefined;

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly isRequired: boolean;
  /** JSON type that the text is read as before it is validated. */
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  readonly check: Check;
}

export interface DocumentedContent {
  readonly mediaType: string;
  /** Absent where the content is not JSON. Of server-sent events: of the data of one. */
  readonly check?: Check;
  /** JSON pointers of members that no property names; see {@link undescribedMembers}. Absent as `check` is. */
  readonly undescribed?: (value: unknown) => readonly string[];
}

export interface DocumentedResponse {
  readonly contents: readonly DocumentedContent[];
  readonly requiredHeaders: readonly string[];
}

export interface Operation {
  readonly method: string;
  /** In OpenAPI notation, as in the routes. */
  readonly path: string;
  /** `info.version` of the document. */
  readonly apiVersion: string;
  readonly parameters: readonly Parameter[];
  readonly bodies: readonly DocumentedContent[];
  /** By status; `default` for all others. */
  readonly responses: ReadonlyMap<string, DocumentedResponse>;
}

/** What the OpenAPI documents say, ready to validate against. */
export interface ApiDocuments {
  operation(method: string, path: string): Operation | undefined;
  readonly operations: readonly {
    readonly method: string;
    readonly path: string;
    readonly document: string;
  }[];
  /** ETSI APIs among them: `/vnfpkgm/v2` and its version. */
  readonly versionedApis: readonly { readonly uriPrefix: string; readonly version: string }[];
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Reads and indexes the documents; each operation is compiled when it is first asked for. */
export function loadApiDocuments(directory?: string): ApiDocuments {
  const files = directory === undefined ? loadSpecificationFiles() : loadSpecificationFiles(directory);
  const ajv = createValidator(files);
  const found = new Map<
    string,
    { method: string; path: string; document: string; compile: () => Operation }
  >();
  const versionedApis: { uriPrefix: string; version: string }[] = [];
  for (const [address, document] of files) {
    if (document['openapi'] === undefined) continue;
    const info = document['info'] as { version: string };
    const uriPrefix = document['x-uri-prefix'];
    if (typeof uriPrefix === 'string') versionedApis.push({ uriPrefix, version: info.version });
    for (const [path, item] of Object.entries((document['paths'] ?? {}) as Record<string, JsonObject>)) {
      for (const method of METHODS) {
        const node = item[method] as JsonObject | undefined;
        if (node === undefined) continue;
        const fullPath = serverPath(document) + path;
        found.set(`${method} ${fullPath}`, {
          method: method.toUpperCase(),
          path: fullPath,
          document: address.slice(address.lastIndexOf('/') + 1),
          compile: once(() => compileOperation({ files, ajv }, method, fullPath, item, node, info.version)),
        });
      }
    }
  }
  return {
    operation: (method, path) => found.get(`${method.toLowerCase()} ${path}`)?.compile(),
    operations: [...found.values()].map(({ method, path, document }) => ({ method, path, document })),
    versionedApis,
  };
}

interface Compiler {
  readonly files: SpecificationFiles;
  readonly ajv: Ajv2020;
}

function createValidator(files: SpecificationFiles): Ajv2020 {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: false,
    logger: false,
    validateSchema: false,
    verbose: true,
  });
  formats.default(ajv, { mode: 'fast' });
  for (const [address, content] of files) ajv.addSchema(content, address, false, false);
  return ajv;
}

function serverPath(document: JsonObject): string {
  const url = (document['servers'] as { url: string }[] | undefined)?.[0]?.url ?? '';
  return url.startsWith('/') && url !== '/' ? url : '';
}

function compileOperation(
  compiler: Compiler,
  method: string,
  path: string,
  item: JsonObject,
  node: JsonObject,
  apiVersion: string,
): Operation {
  const { files } = compiler;
  const parameters = [...listOf(item['parameters']), ...listOf(node['parameters'])].map((parameter) =>
    follow(files, parameter),
  );
  const body = node['requestBody'] === undefined ? undefined : follow(files, node['requestBody']);
  const responses = Object.entries((node['responses'] ?? {}) as JsonObject).map(
    ([status, response]) => [status, compileResponse(compiler, follow(files, response))] as const,
  );
  return {
    method: method.toUpperCase(),
    path,
    apiVersion,
    parameters: parameters.map((parameter) => compileParameter(compiler, parameter)),
    bodies: compileContents(compiler, body?.['content']),
    responses: new Map(responses),
  };
}

function compileParameter({ files, ajv }: Compiler, parameter: JsonObject): Parameter {
  const schema = (parameter['schema'] ?? {}) as JsonObject;
  const resolved = follow(files, schema);
  return {
    in: parameter['in'] as Parameter['in'],
    name: String(parameter['name']),
    isRequired: parameter['required'] === true,
    type: (resolved['type'] as Parameter['type'] | undefined) ?? 'string',
    check: checkBy(ajv, schema),
  };
}

function compileResponse(compiler: Compiler, response: JsonObject): DocumentedResponse {
  const headers = Object.entries((response['headers'] ?? {}) as JsonObject);
  return {
    contents: compileContents(compiler, response['content']),
    requiredHeaders: headers
      .filter(([, header]) => follow(compiler.files, header)['required'] === true)
      .map(([name]) => name.toLowerCase()),
  };
}

function compileContents({ files, ajv }: Compiler, contents: unknown): DocumentedContent[] {
  return Object.entries((contents ?? {}) as JsonObject).map(([mediaType, content]) => {
    const whole = (content as JsonObject)['schema'] as JsonObject | undefined;
    const isJson = /[/+]json$|x-www-form-urlencoded$/.test(mediaType);
    const schema = isJson ? whole : (whole?.['contentSchema'] as JsonObject | undefined);
    if (schema === undefined) return { mediaType };
    return {
      mediaType,
      check: checkBy(ajv, schema),
      undescribed: (value) => undescribedMembers(files, schema, value),
    };
  });
}

/** Most schemas are large and many are never met in one run: compile at the first use. */
function checkBy(ajv: Ajv2020, schema: JsonObject): Check {
  const compile = once(() => ajv.compile(schema));
  return (value) => {
    const validate = compile();
    return validate(value) ? undefined : explainErrors(validate.errors);
  };
}

function follow(files: SpecificationFiles, node: unknown): JsonObject {
  const object = node as JsonObject;
  return typeof object['$ref'] === 'string' ? follow(files, resolveReference(files, object['$ref'])) : object;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
