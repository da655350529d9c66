import { join } from 'node:path';
import { IotmanoError, type Clock } from '../kernel/index.ts';
import { instanceName, type LogOptions } from '../vim-drivers/index.ts';

export type FunctionLogOptions = Omit<LogOptions, 'slot'>;

/**
 * Output of one copy of a function that runs, or has run, on this host, read from the files of its agent's data directory. The agent
 * may be away.
 * @param name as `iotmano ps` shows it, or the name of the instance on the host
 * @throws IotmanoError `not-found`, naming what there is
 */
export async function readFunctionLogs(
  dataDirectory: string,
  name: string,
  options: FunctionLogOptions,
  clock: Clock,
): Promise<AsyncIterable<Uint8Array>> {
  const { listLogged, readLogged } = await import('../vim-drivers/process/index.ts');
  const directory = join(dataDirectory, 'process');
  const instances = (await listLogged(directory)).map((instance) => {
    const { labels, key } = instance.workload;
    const shown = `${labels['constituent'] ?? labels['function'] ?? key.vnfInstanceId}-${key.unit}-${instance.slot}`;
    return { instance, shown, resource: instanceName(key, instance.slot) };
  });
  const matches = instances.filter(({ shown, resource }) => shown === name || resource === name);
  // Of several generations side by side the newest is meant.
  const found = matches.toSorted(
    (one, other) => other.instance.workload.key.generation - one.instance.workload.key.generation,
  )[0];
  if (found === undefined) {
    const known = instances.map(({ shown }) => shown).join(', ') || 'none';
    throw new IotmanoError(
      'not-found',
      `no function called "${name}" runs below ${dataDirectory}; there are: ${known}`,
    );
  }
  return readLogged(directory, found.instance, options, clock);
}
