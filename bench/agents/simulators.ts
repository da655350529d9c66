import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import type { Fleet } from './fill-fleet.ts';
import type { SimulatorNews, SimulatorOrder } from './simulator.ts';

const AGENTS_PER_PROCESS = 5000;
const STARTS_PER_SECOND = 250;
const PATIENCE_MILLISECONDS = 600_000;
const M2M_SP_ID = '//iotmano.example';

/** All agents of a benchmark, shared out among processes; and their news, once each of them has it. */
export class Simulators {
  readonly #children: ChildProcess[] = [];

  start(serverUrl: string, fleet: Fleet): void {
    const { hostIds, privateKeyPem, stateId, natsJwts } = fleet;
    const processes = Math.ceil(hostIds.length / AGENTS_PER_PROCESS);
    for (let at = 0; at < processes; at += 1) {
      const child = fork(join(import.meta.dirname, 'simulator.ts'), {
        stdio: ['ignore', 2, 2, 'ipc'],
      });
      child.setMaxListeners(20);
      const isOwn = (_: string, index: number): boolean => index % processes === at;
      const startsPerSecond = STARTS_PER_SECOND / processes;
      child.send({
        serverUrl,
        hostIds: hostIds.filter(isOwn),
        natsJwts: natsJwts.filter(isOwn),
        privateKeyPem,
        stateId,
        m2mSpId: M2M_SP_ID,
        startsPerSecond,
      } satisfies SimulatorOrder);
      this.#children.push(child);
    }
  }

  async all(type: SimulatorNews['type']): Promise<SimulatorNews[]> {
    const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    return Promise.all(this.#children.map((child) => newsOf(child, type, signal)));
  }

  end(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

function newsOf(
  child: ChildProcess,
  type: SimulatorNews['type'],
  signal: AbortSignal,
): Promise<SimulatorNews> {
  return new Promise((resolve, reject) => {
    child.on('message', (news: SimulatorNews) => {
      if (news.type === type) resolve(news);
    });
    signal.addEventListener('abort', () => {
      reject(new IotmanoError('timeout', `not all agents were "${type}" within ${PATIENCE_MILLISECONDS} ms`));
    });
  });
}
