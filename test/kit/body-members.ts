import {
  loadSpecificationFiles,
  resolveReference,
  type JsonObject,
} from '../../orchestrator/api/openapi/load-documents.ts';

/** Names of the members of the JSON body of each operation, by method and path: what a generator of nearly valid bodies needs. */
export function loadBodyMembers(): (method: string, path: string) => readonly string[] {
  const files = loadSpecificationFiles();
  const follow = (node: unknown): JsonObject => {
    const object = (node ?? {}) as JsonObject;
    return typeof object['$ref'] === 'string' ? follow(resolveReference(files, object['$ref'])) : object;
  };
  const membersOf = (schema: JsonObject): string[] => [
    ...Object.keys(schema['properties'] ?? {}),
    ...((schema['allOf'] ?? []) as unknown[]).flatMap((part) => membersOf(follow(part))),
  ];
  return (method, path) => {
    for (const document of files.values()) {
      const item = ((document['paths'] ?? {}) as Record<string, JsonObject>)[path];
      const content = follow((item?.[method.toLowerCase()] as JsonObject | undefined)?.['requestBody'])[
        'content'
      ];
      const [first] = Object.values((content ?? {}) as Record<string, JsonObject>);
      if (first !== undefined) return membersOf(follow(first['schema']));
    }
    return [];
  };
}
