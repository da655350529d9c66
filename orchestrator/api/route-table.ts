import { IotmanoError } from '../../kernel/index.ts';
import type { ApiDocuments } from './openapi/index.ts';
import type { Route } from './route-types.ts';

/** Routes by path, literal paths before those with parameters, so that the more exact one wins. */
export function groupByPath(routes: readonly Route[]): ReadonlyMap<string, readonly Route[]> {
  const groups = Map.groupBy(routes, (route) => route.path);
  return new Map([...groups].toSorted(([one], [other]) => parameterCount(one) - parameterCount(other)));
}

/** Routes of one area begin alike; no path begins with a parameter. */
export function areaOf(path: string): string {
  return path.split('/', 2)[1] ?? '';
}

/** `/a/{b}` as express writes it; a multi-segment parameter becomes a wildcard. */
export function toExpressPath(path: string, routes: readonly Route[]): string {
  const multiSegment = routes.find((route) => route.multiSegment !== undefined)?.multiSegment;
  return path
    .split('/')
    .map((segment) => {
      const name = /^\{(\w+)\}$/.exec(segment)?.[1];
      if (name !== undefined) return name === multiSegment ? `*${name}` : `:${name}`;
      return segment.replaceAll(/[\\:*(){}[\]?+!]/g, (character) => `\\${character}`);
    })
    .join('/');
}

/** @throws IotmanoError `internal`, naming every route that no document describes, or that is given twice */
export function requireDocumented(routes: readonly Route[], documents: ApiDocuments): void {
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  const doubled = names.filter((name, index) => names.indexOf(name) !== index);
  const missing = routes
    .filter(({ method, path }) => documents.operation(method, path) === undefined)
    .map(({ method, path }) => `${method} ${path}`);
  if (missing.length === 0 && doubled.length === 0) return;
  throw new IotmanoError(
    'internal',
    [
      ...missing.map((name) => `route ${name} is in no document of api-specs/; describe it there`),
      ...doubled.map((name) => `route ${name} is given twice; remove one`),
    ].join('; '),
  );
}

function parameterCount(path: string): number {
  return path.split('{').length;
}
