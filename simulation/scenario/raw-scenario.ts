import type { FailureKind } from './types.ts';

/** A scenario as its schema lets it through, defaults filled in: quantities and expressions are still texts. */
export interface RawScenario {
  readonly name: string;
  readonly seed: number;
  readonly duration: string;
  readonly sampleEvery: string;
  readonly lookEvery: string;
  readonly retryEvery: string;
  readonly hosts: readonly RawGroup[];
  readonly functions: readonly RawDescriptor[];
  readonly services: readonly RawDescriptor[];
  readonly events: readonly RawEvent[];
}

export interface RawGroup {
  readonly name: string;
  readonly count: number;
  readonly tier: 'cloud' | 'cloud-edge' | 'device-edge';
  readonly architecture: string;
  readonly jurisdiction?: string;
  readonly cpu: string | number;
  readonly memory: string;
  readonly storage: string;
  readonly costPerHour: number;
  readonly zones: number;
  readonly artifactTypes: readonly ('process' | 'container')[];
  readonly labels: Readonly<Record<string, string | Readonly<Record<string, number>>>>;
  readonly start: string;
  readonly availability?: {
    readonly betweenFailures: string;
    readonly repair: string;
    readonly kind?: FailureKind;
  };
}

/** Of a function or of a service. */
export interface RawDescriptor {
  readonly name: string;
  readonly file?: string;
  readonly descriptor?: object;
}

interface RawTimes {
  readonly at?: string;
  readonly every?: string;
  readonly times?: number;
}

export type RawEvent = RawTimes &
  (
    | {
        readonly type: 'deploy';
        readonly function: string;
        readonly count?: number;
        readonly level?: string;
        readonly coverage?: string;
        readonly perZone?: boolean;
      }
    | { readonly type: 'terminate'; readonly function: string; readonly count?: number }
    | { readonly type: 'scale'; readonly function: string; readonly aspect?: string; readonly to: number }
    | {
        readonly type: 'follow';
        readonly function: string;
        readonly aspect?: string;
        readonly file: string;
        readonly valuePerStep: number;
      }
    | {
        readonly type: 'burst';
        readonly function: string;
        readonly count?: number;
        readonly level?: string;
        readonly for: string;
        readonly stays: string;
      }
    | {
        readonly type: 'deployService';
        readonly service: string;
        readonly count?: number;
        readonly parameters?: Readonly<Record<string, unknown>>;
      }
    | { readonly type: 'terminateService'; readonly service: string; readonly count?: number }
    | {
        readonly type: 'burstService';
        readonly service: string;
        readonly count?: number;
        readonly parameters?: Readonly<Record<string, unknown>>;
        readonly for: string;
        readonly stays: string;
      }
    | {
        readonly type: 'fail';
        readonly hosts: string;
        readonly share?: number;
        readonly wholeZones?: boolean;
        readonly kind?: FailureKind;
        readonly for?: string;
        readonly returnWithin?: string;
      }
    | { readonly type: 'return'; readonly hosts: string; readonly within?: string }
    | {
        readonly type: 'drain';
        readonly hosts: string;
        readonly share?: number;
        readonly inTurn?: boolean;
        readonly for?: string;
      }
  );
