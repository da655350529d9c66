import { createHash } from 'node:crypto';
import type { Bindings, BoundEndpoint } from '../contract.ts';
import type { Neighbours } from './neighbours.ts';

/** The bindings as an instance on this engine sees them: who runs beside it is reached by the name of its container. */
export function bindingsForContainer(bindings: Bindings, neighbours: Neighbours): Bindings {
  const near = (endpoint: BoundEndpoint): BoundEndpoint => ({
    ...endpoint,
    host: neighbours.find(endpoint.instance)?.name ?? endpoint.host,
  });
  const requires = Object.entries(bindings.requires).map(([name, requirement]) => [
    name,
    { ...requirement, endpoints: requirement.endpoints.map(near) },
  ]);
  return { ...bindings, requires: Object.fromEntries(requires) as Bindings['requires'] };
}

/** The networks in which an instance finds those that it is bound to. */
export function boundNetworks(bindings: Bindings, neighbours: Neighbours): readonly string[] {
  const endpoints = Object.values(bindings.requires).flatMap(({ endpoints: all }) => all);
  const networks = endpoints.map(({ instance }) => neighbours.find(instance)?.network);
  return [...new Set(networks.filter((network) => network !== undefined))].toSorted();
}

export function bindingsText(bindings: Bindings): string {
  return `${JSON.stringify(bindings, undefined, 2)}\n`;
}

export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
