import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';

/**
 * Id of the function (VNF instance) with that id or name.
 * @throws CliFailure naming those that there are, or asking for the id where several have the name
 */
export async function findFunction(client: Client, name: string): Promise<string> {
  const all = await client.list<{ readonly id: string; readonly vnfInstanceName?: string }>(
    '/vnflcm/v2/vnf_instances',
  );
  const found = all.filter(({ id, vnfInstanceName }) => id === name || vnfInstanceName === name);
  const [only] = found;
  if (only === undefined)
    throw new CliFailure(
      EXIT.notFound,
      `no function is called "${name}"; there are: ${all.map((each) => each.vnfInstanceName ?? each.id).join(', ') || 'none'}`,
    );
  if (found.length > 1)
    throw new CliFailure(
      EXIT.usage,
      `${found.length} functions are called "${name}"; name one by id: ${found.map(({ id }) => id).join(', ')}`,
    );
  return only.id;
}
