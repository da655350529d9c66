import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';

/** A running copy, as `iotmano ps` lists it. */
export interface Copy {
  readonly id: string;
  readonly name: string;
  readonly service?: string;
  readonly hostId: string;
  readonly generation: number;
}

/** The copy with that name or id; of several generations side by side the newest is meant. @throws CliFailure where there is none, or several */
export async function findCopy(client: Client, name: string): Promise<Copy> {
  const copies = await client.list<Copy>('/iotmano/v1/vnfc_instances');
  const matches = copies.filter((copy) => copy.name === name || copy.id === name);
  const [chosen, ...others] = matches.toSorted((one, other) => other.generation - one.generation);
  if (chosen === undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no copy is called "${name}"; "iotmano ps" lists those that there are`,
    );
  const rival = others.find(({ generation }) => generation === chosen.generation);
  if (rival === undefined) return chosen;
  const ids = matches.map(({ id, hostId, service = '-' }) => `${id} (service ${service}, host ${hostId})`);
  throw new CliFailure(EXIT.usage, `several copies are called "${name}"; say which by its id`, ids);
}
