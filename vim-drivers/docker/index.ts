/** The driver that runs workloads as containers of a Docker Engine. */
import type { Closable, CommandRunner, VimDriver } from '../contract.ts';
import { DockerHost } from './driver.ts';
import { Engine } from './engine.ts';
import type { DockerDriverOptions } from './options.ts';

export type { DockerDriverOptions, DockerEndpoint } from './options.ts';

export type DockerDriver = VimDriver & CommandRunner & Closable;

/** Opens a driver; makes no call: an engine that cannot be reached shows in what is called (`unavailable`), and is found again by itself. */
export async function createDockerDriver(options: DockerDriverOptions): Promise<DockerDriver> {
  const host = new DockerHost(options, await Engine.open(options.endpoint));
  host.open();
  return host;
}
