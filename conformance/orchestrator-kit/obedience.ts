import { messageOf, toTimestamp } from '../../kernel/index.ts';
import { CaseFailure, must } from '../case.ts';
import { told, type PlayedHost, type Schemas } from './played-host.ts';
import type { OrchestratorStage } from './stage.ts';

type Wanted = Schemas['wanted'];
type Assignment = Schemas['assignment'];

/** A played host that follows its wanted state: it says of everything that it runs, or that it is gone. */
export interface Obedience {
  /** What it was told, in order. */
  readonly answers: readonly Wanted[];
  /** Every revision that it was told to go on from. */
  readonly revisions: ReadonlySet<number>;
  /** Waits for an answer that is so, also among those that came; undefined where none comes within some seconds. */
  until(isIt: (wanted: Wanted) => boolean): Promise<Wanted | undefined>;
  end(): void;
}

const WAIT_SECONDS = 5;
const PATIENCE_MILLISECONDS = 20_000;
const LOOK_MILLISECONDS = 50;
const PAUSE_MILLISECONDS = 200;
const FIRST_PORT = 40_000;

/**
 * Operators' tools mostly wait until what they assign runs, and what they take away is gone: so somebody has to say so.
 * @param from the whole wanted state, as it is now; report 1 of the boot has been sent
 */
export function obey(stage: OrchestratorStage, host: PlayedHost, from: Wanted): Obedience {
  const answers: Wanted[] = [];
  const assignments = new Map<string, Assignment>();
  const revisions = new Set([from.revision]);
  const ending = new AbortController();
  let revision = from.revision;
  let sequence = 1;

  async function follow(): Promise<void> {
    while (!ending.signal.aborted && !stage.signal.aborted) {
      const query = { since: String(revision), wait: String(WAIT_SECONDS) };
      const answer = await host.send('getWanted', { query });
      if (ending.signal.aborted) return;
      if (answer.status === 200) await take(answer.body as Wanted);
      else {
        must(answer.status === 304, `${told(answer)}; 200 or 304 was to be expected`);
        revision = Number(answer.headers['mco-revision'] ?? revision);
        revisions.add(revision);
        // Over NATS no question waits.
        if (stage.binding === 'nats') await stage.clock.sleep(PAUSE_MILLISECONDS, stage.signal);
      }
    }
  }

  async function take(wanted: Wanted): Promise<void> {
    if (wanted.full) assignments.clear();
    for (const { vnfInstanceId, unit, generation } of wanted.removed)
      assignments.delete(`${vnfInstanceId}/${unit}/${generation}`);
    for (const each of wanted.assignments) {
      const { vnfInstanceId, unit, generation } = each.workload.key;
      assignments.set(`${vnfInstanceId}/${unit}/${generation}`, each);
    }
    revision = wanted.revision;
    revisions.add(revision);
    sequence += 1;
    const since = toTimestamp(stage.clock.now());
    const report: Schemas['report'] = {
      full: true,
      workloads: [...assignments.values()].map((each) => runningOf(each, since)),
      removed: [],
      appliedRevision: wanted.revision,
      appliedStateId: wanted.stateId,
    };
    answers.push(wanted);
    const answer = await host.send('postReport', { sequence, body: report });
    must(answer.status === 200, `report ${sequence}: ${told(answer)}`);
  }

  let fault: string | undefined;
  void follow().catch((error: unknown) => {
    fault = ending.signal.aborted || stage.signal.aborted ? undefined : messageOf(error);
  });
  return {
    answers,
    revisions,
    async until(isIt) {
      const until = stage.clock.monotonic() + PATIENCE_MILLISECONDS;
      while (stage.clock.monotonic() < until && !stage.signal.aborted) {
        const found = answers.find(isIt);
        if (found !== undefined) return found;
        if (fault !== undefined) throw new CaseFailure(fault);
        await stage.clock.sleep(LOOK_MILLISECONDS, stage.signal);
      }
      return undefined;
    },
    end: () => ending.abort(),
  };
}

function runningOf({ workload }: Assignment, since: string): Schemas['observed-workload'] {
  const ports = Object.fromEntries(
    workload.spec.ports.map(({ name, number }, index) => [name, number ?? FIRST_PORT + index]),
  );
  return {
    key: workload.key,
    specHash: workload.specHash,
    instances: workload.instances.map(({ slot, epoch }) => ({
      slot,
      epoch,
      state: 'RUNNING' as const,
      since,
      restarts: 0,
      ports,
    })),
  };
}
