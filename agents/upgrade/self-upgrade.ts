import type { Clock, Logger } from '../../kernel/index.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import type { ArtifactSource, ObservedWorkload } from '../../vim-drivers/index.ts';
import type { Backoff } from '../mco-client/index.ts';
import type { StoredWanted } from '../orchestration/index.ts';
import type { OwnProgram } from './program.ts';

export type UpgradeFacts = NonNullable<components['schemas']['host-facts']['agentUpgrade']>;

export interface SelfUpgradeOptions {
  /** The program that runs, or why it cannot exchange itself. */
  readonly program: OwnProgram | string;
  readonly dataDirectory: string;
  readonly artifacts: ArtifactSource;
  readonly createBackoff: () => Backoff;
  readonly clock: Clock;
  readonly log: Logger;
  /** There is something new to tell. */
  readonly onNews: () => void;
  /** Another version is to run: the agent ends, and functions run on. */
  readonly onSwitch: () => void;
  /** To who watches over a version on trial. */
  readonly tellWaiting: (waitsFor: string) => void;
}

/** The agent's own upgrade: prepares the version that is wanted and gives way to it; as a version on trial, confirms once it does its work. */
export interface SelfUpgrade {
  facts(): UpgradeFacts;
  wanted(wanted: StoredWanted): void;
  observed(observed: readonly ObservedWorkload[]): void;
  /** The orchestrator has taken facts and a full report of this start, and answered. */
  heard(): void;
  /** Until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}
