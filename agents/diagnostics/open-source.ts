import { IotmanoError } from '../../kernel/index.ts';
import { isCommandRunner, workloadId, type CommandEvent, type VimDriver } from '../../vim-drivers/index.ts';
import type { DiagnosticRequest } from '../mco-client/index.ts';

/**
 * What a request is to show, from the driver that has the copy: of workloads of this host, and nothing else. Nothing is carried out before it is read.
 * @throws IotmanoError `not-found` where no driver has it, `conflict` where it cannot be done
 */
export async function openSource(
  drivers: readonly VimDriver[],
  request: DiagnosticRequest,
  input: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<AsyncIterable<CommandEvent>> {
  const { workload: key, slot, kind, command = [], follow = false, tailLines } = request;
  const driver = await findDriver(drivers, request);
  if (kind === 'logs') {
    const tail = tailLines === undefined ? {} : { tailLines };
    return asOutput(driver.logs(key, { slot, follow, signal, ...tail }));
  }
  if (command.length === 0) throw new IotmanoError('conflict', 'the request names no command');
  if (!isCommandRunner(driver)) {
    const { driver: name } = await driver.capabilities();
    throw new IotmanoError('conflict', `the driver ${name} runs no commands beside functions`);
  }
  const more = request.hasInput === true ? { input } : {};
  return driver.exec(key, { slot, command, signal, ...more });
}

async function findDriver(
  drivers: readonly VimDriver[],
  { workload, slot, kind }: DiagnosticRequest,
): Promise<VimDriver> {
  const id = workloadId(workload);
  for (const driver of drivers) {
    const found = (await driver.list()).find(
      ({ key }) => workloadId(key) === id && key.tenant === workload.tenant,
    );
    const instance = found?.instances.find((each) => each.slot === slot);
    if (instance === undefined) continue;
    if (kind === 'logs' || ['STARTING', 'RUNNING', 'UNHEALTHY'].includes(instance.state)) return driver;
    throw new IotmanoError('conflict', `${id}-${slot} is ${instance.state}; a command needs one that runs`);
  }
  throw new IotmanoError('not-found', `${id}-${slot} is not on this host`);
}

async function* asOutput(output: AsyncIterable<Uint8Array>): AsyncGenerator<CommandEvent> {
  for await (const bytes of output) yield { type: 'stdout', bytes };
}
