import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { messageOf } from '../../../kernel/index.ts';
import type { Endpoint } from '../../shared/index.ts';

/**
 * The endpoints with their hosts as addresses: HAProxy is told of no name, and of nothing that could be anything else.
 * A name that cannot be resolved now is left out, and told.
 */
export async function resolveBackEnds(
  endpoints: readonly Endpoint[],
  onFault: (host: string, reason: string) => void,
): Promise<readonly Endpoint[]> {
  const resolved = await Promise.all(
    endpoints.map(async (endpoint): Promise<Endpoint[]> => {
      if (isIP(endpoint.host) !== 0) return [endpoint];
      try {
        const { address } = await lookup(endpoint.host);
        return [{ ...endpoint, host: address }];
      } catch (error) {
        onFault(endpoint.host, messageOf(error));
        return [];
      }
    }),
  );
  return resolved.flat();
}
