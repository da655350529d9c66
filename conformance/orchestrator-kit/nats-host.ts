import { CaseFailure } from '../case.ts';
import type { NatsSide } from './agent-wire.ts';
import { UserRefused, type HostLink } from './host-link.ts';
import type { PlayedHost } from './played-host.ts';
import type { OrchestratorStage } from './stage.ts';

/** What a server may take to say that it does not allow something. */
const REFUSAL_SECONDS = 3;

export function natsOf({ wire }: OrchestratorStage): NatsSide {
  if (wire.nats === undefined) throw new CaseFailure('the kit is not connected to NATS');
  return wire.nats;
}

/** One more connection of an enrolled host, until the end of the case at most. */
export async function openLinkOf(stage: OrchestratorStage, { hostId, key }: PlayedHost): Promise<HostLink> {
  const link = await natsOf(stage).openLink(hostId, key);
  stage.signal.addEventListener('abort', () => void link.close(), { once: true });
  return link;
}

/** What a server says of the next thing that it does not allow; undefined where it allows it. */
export async function refusalOf(
  stage: OrchestratorStage,
  { connection }: HostLink,
  act: () => void,
): Promise<string | undefined> {
  const statuses = connection.status()[Symbol.asyncIterator]();
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      const { value, done } = await statuses.next();
      if (done === true) return undefined;
      if (value.type === 'error') return value.error.message;
    }
  };
  const refusal = next();
  act();
  const answer = await Promise.race([refusal, stage.sleep(REFUSAL_SECONDS)]);
  return typeof answer === 'string' ? answer : undefined;
}

/** Whether the servers let the host connect no more. */
export async function isRefused(stage: OrchestratorStage, { hostId, key }: PlayedHost): Promise<boolean> {
  try {
    const link = await natsOf(stage).openLink(hostId, key);
    await link.close();
    return false;
  } catch (error) {
    if (error instanceof UserRefused) return true;
    throw error;
  }
}
