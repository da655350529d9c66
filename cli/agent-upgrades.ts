import { setTimeout as sleep } from 'node:timers/promises';
import type { components } from '../api-specs/generated/iotmano.ts';
import type { Client } from './client.ts';
import { CliFailure, EXIT } from './failure.ts';
import { say } from './output.ts';

export type AgentRelease = components['schemas']['AgentRelease'];
export type AgentUpgrade = components['schemas']['AgentUpgrade'];
type Wave = components['schemas']['AgentUpgradeWave'];

export const RELEASES = '/iotmano/v1/agent_releases';
export const UPGRADES = '/iotmano/v1/agent_upgrades';
const LOOK_MILLISECONDS = 500;

export function listReleases(client: Client): Promise<AgentRelease[]> {
  return client.list<AgentRelease>(RELEASES);
}

/** By version or id. @throws CliFailure naming those there are */
export async function releaseOf(client: Client, text: string): Promise<AgentRelease> {
  const releases = await listReleases(client);
  const found = releases.find(({ id, version }) => id === text || version === text);
  if (found !== undefined) return found;
  const versions = releases.map(({ version }) => version).join(', ');
  throw new CliFailure(
    EXIT.notFound,
    `there is no release ${text} of the agent; there is ${versions || 'none: add one with "iotmano agent release add FILE"'}`,
  );
}

/** `3`, `10%`, or a label expression. @throws CliFailure */
export function parseWave(text: string): Wave {
  if (/^\d+$/.test(text) && Number(text) > 0) return { count: Number(text) };
  const share = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (share !== undefined && Number(share) > 0 && Number(share) <= 100) return { share: Number(share) / 100 };
  if (/[a-z]/i.test(text)) return { label: text };
  throw new CliFailure(
    EXIT.usage,
    `--wave wants a number of hosts from 1 on, a share such as 10%, or a label expression; got "${text}"`,
  );
}

/** The upgrade that is open, of which there is one at most. @throws CliFailure */
export async function openUpgrade(client: Client): Promise<AgentUpgrade> {
  const all = await client.list<AgentUpgrade>(UPGRADES);
  const found = all.find(({ operationState }) => ['PROCESSING', 'FAILED_TEMP'].includes(operationState));
  if (found !== undefined) return found;
  throw new CliFailure(EXIT.conflict, 'no upgrade of agents is open');
}

/** The upgrade that began last, be it over or not. @throws CliFailure */
export async function newestUpgrade(client: Client): Promise<AgentUpgrade> {
  const all = await client.list<AgentUpgrade>(UPGRADES);
  const [newest] = all.toSorted((a, b) => b.startTime.localeCompare(a.startTime));
  if (newest !== undefined) return newest;
  throw new CliFailure(EXIT.notFound, 'agents have not been upgraded yet');
}

/** Follows it until it is over or stands still, telling what changes. @throws CliFailure where it has not completed */
export async function followUpgrade(
  client: Client,
  id: string,
  timeoutSeconds: number,
): Promise<AgentUpgrade> {
  const until = performance.now() + timeoutSeconds * 1000;
  let told = '';
  for (;;) {
    const { body } = await client.get<AgentUpgrade>(`${UPGRADES}/${id}`);
    const line = countsText(body);
    if (line !== told) say(line);
    told = line;
    if (body.operationState === 'COMPLETED') return body;
    if (body.operationState !== 'PROCESSING')
      throw new CliFailure(
        EXIT.failed,
        `the upgrade has stopped: ${body.error?.detail ?? body.operationState}`,
        [
          'see "iotmano agent upgrades show"; go on with "iotmano agent upgrade --retry", or end it with --fail',
        ],
      );
    if (performance.now() > until)
      throw new CliFailure(
        EXIT.failed,
        `not over after ${timeoutSeconds} s; it goes on: "iotmano agent upgrades show"`,
      );
    await sleep(LOOK_MILLISECONDS);
  }
}

/** How many hosts are how far. */
export function countsText({ version, counts = {}, isPaused, wavesDone, waves }: AgentUpgrade): string {
  const parts = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([standing, count]) => `${count} ${standing.toLowerCase().replace('_', ' ')}`);
  const wave = wavesDone < waves.length ? `wave ${wavesDone + 1} of ${waves.length + 1}` : 'last wave';
  return `${version}: ${wave}${isPaused ? ', paused' : ''}: ${parts.join(', ') || 'no hosts'}`;
}
