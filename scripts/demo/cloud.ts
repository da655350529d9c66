import type { Installation } from './installation.ts';

export const CLOUD_KINDS = ['process', 'docker', 'kubernetes'] as const;
export type CloudKind = (typeof CLOUD_KINDS)[number];

/** A function of the catalogue, and what the service calls it. */
export interface Constituent {
  readonly program: string;
  readonly name: string;
}

/** Where the functions of the CSE run that need a cloud; those of the gateway run as processes, whatever this is. */
export interface Cloud {
  /** Makes sure that it can be used. @throws RangeError what is missing */
  prepare(say: (text: string) => void): Promise<void>;
  /** Makes it a host of the installation. @returns the address at which what runs there reaches this machine */
  join(installation: Installation): Promise<string>;
  /** The copies of a function that are at work, or of all: each start of one has a text of its own. */
  runs(installation: Installation, constituent?: Constituent): Promise<readonly string[]>;
  /** Kills one by other means than ours. */
  kill(run: string, constituent: Constituent): Promise<void>;
  /** Whether what was killed counts as a restart. */
  readonly countsRestarts: boolean;
  /** How long the platform may take until a killed copy does its work again. */
  readonly healSeconds: number;
  /** How people find there what the demo has made; undefined: not at all. */
  readonly whereabouts?: string;
  /** Takes the VIM out of an installation that still runs. */
  leave(installation: Installation): Promise<void>;
  /** Removes what is still there of the demo. @returns what that was, for people */
  leaveNothing(): Promise<readonly string[]>;
}
