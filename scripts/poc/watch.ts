import { setTimeout as sleep } from 'node:timers/promises';
import { REQUEST_PROCESSING } from '../demo/chaos.ts';
import type { FunctionInstance, Installation } from '../demo/installation.ts';

/** Copies of request processing that ran from a moment on. */
export interface CopiesSince {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly running: number;
}

/** A step that was taken because of a policy. */
export interface AutomaticStep {
  readonly at: number;
  readonly reason: string;
}

interface Occurrence {
  readonly id: string;
  readonly operation: string;
  readonly startTime: string;
  readonly isAutomaticInvocation: boolean;
  readonly operationParams?: {
    readonly type?: string;
    readonly additionalParams?: { readonly reason?: string };
  };
}

/** What the orchestrator tells of the service, several times a second. */
export class Watch {
  readonly #installation: Installation;
  readonly #say: (text: string) => void;
  readonly #known = new Set<string>([]);
  #versions = '';
  /** Of every function, as last seen. */
  copies: readonly FunctionInstance[] = [];
  readonly changes: CopiesSince[] = [];
  readonly steps: AutomaticStep[] = [];

  constructor(installation: Installation, say: (text: string) => void) {
    this.#installation = installation;
    this.#say = say;
  }

  /** Running copies of request processing, of one version or of any. */
  running(version?: string): number {
    return this.copies.filter(
      (copy) =>
        copy.function === REQUEST_PROCESSING.name &&
        copy.state === 'RUNNING' &&
        (version === undefined || copy.softwareVersion === version),
    ).length;
  }

  /** Looks until the signal is aborted. An orchestrator that is away is asked again. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look().catch(() => undefined);
      await sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const [copies, occurrences] = await Promise.all([
      this.#installation.instances(),
      this.#installation.request<Occurrence[]>('GET', '/vnflcm/v2/vnf_lcm_op_occs?all_fields'),
    ]);
    this.copies = copies;
    this.#noteSteps(occurrences);
    this.#noteCopies();
  }

  #noteSteps(occurrences: readonly Occurrence[]): void {
    for (const { id, operation, startTime, isAutomaticInvocation, operationParams } of occurrences) {
      if (operation !== 'SCALE' || !isAutomaticInvocation || this.#known.has(id)) continue;
      this.#known.add(id);
      const reason = operationParams?.additionalParams?.reason ?? '';
      this.steps.push({ at: Date.parse(startTime), reason });
      const way = operationParams?.type === 'SCALE_IN' ? 'in' : 'out';
      this.#say(`scales ${way} by itself: ${reason}`);
    }
  }

  #noteCopies(): void {
    const running = this.running();
    if (this.changes.at(-1)?.running !== running) this.changes.push({ at: Date.now(), running });
    const versions = versionsText(this.copies);
    if (versions !== this.#versions) this.#say(`request processing: ${versions}`);
    this.#versions = versions;
  }
}

const LOOK_MILLISECONDS = 200;

/** `3 of 1.0.0, 1 of 1.1.0`: running copies of request processing. */
export function versionsText(copies: readonly FunctionInstance[]): string {
  const counts = new Map<string, number>([]);
  for (const copy of copies) {
    if (copy.function !== REQUEST_PROCESSING.name || copy.state !== 'RUNNING') continue;
    counts.set(copy.softwareVersion, (counts.get(copy.softwareVersion) ?? 0) + 1);
  }
  const texts = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${count} of ${name}`);
  return texts.length === 0 ? 'none runs' : texts.join(', ');
}
