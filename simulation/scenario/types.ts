import type {
  ArtifactType,
  IoTFunctionDescriptor,
  IoTServiceDescriptor,
  LabelExpression,
  ServiceConstituent,
  Tier,
} from '../../descriptors/index.ts';

/** `power`: what ran on the host is gone; `network`: it runs on, unseen. */
export type FailureKind = 'power' | 'network';

export interface HostGroup {
  readonly name: string;
  readonly count: number;
  readonly tier: Tier;
  readonly architecture: string;
  readonly jurisdiction?: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly costPerHour: number;
  readonly zones: number;
  readonly artifactTypes: readonly ArtifactType[];
  /** A text for all, or weights by value. */
  readonly labels: Readonly<Record<string, string | Readonly<Record<string, number>>>>;
  readonly startSeconds: number;
  readonly availability?: {
    readonly betweenFailuresSeconds: number;
    readonly repairSeconds: number;
    readonly kind: FailureKind;
  };
}

export interface ScenarioFunction {
  readonly name: string;
  readonly descriptor: IoTFunctionDescriptor;
}

export interface ScenarioService {
  readonly name: string;
  readonly descriptor: IoTServiceDescriptor;
  readonly constituents: readonly ScenarioConstituent[];
}

/** A function of a service, with the descriptor that it is made of. */
export interface ScenarioConstituent extends Pick<ServiceConstituent, 'name' | 'flavour' | 'level'> {
  readonly descriptor: IoTFunctionDescriptor;
  readonly coverage?: HostChoice;
}

/** A label expression, with its text for those that want it as text. */
export interface HostChoice {
  readonly text: string;
  readonly expression: LabelExpression;
}

interface Scheduled {
  /** From the start. */
  readonly atSeconds: number;
  readonly everySeconds: number;
  readonly times: number;
}

export interface DemandPoint {
  /** From the event's own time. */
  readonly afterSeconds: number;
  /** Of the aspect. */
  readonly steps: number;
}

export type ScenarioEvent = Scheduled &
  (
    | {
        readonly type: 'deploy';
        readonly function: string;
        readonly count: number;
        readonly level?: string;
        readonly coverage?: HostChoice;
        readonly perZone: boolean;
      }
    | { readonly type: 'terminate'; readonly function: string; readonly count: number }
    | { readonly type: 'scale'; readonly function: string; readonly aspect: string; readonly to: number }
    | {
        readonly type: 'follow';
        readonly function: string;
        readonly aspect: string;
        readonly curve: readonly DemandPoint[];
      }
    | {
        readonly type: 'burst';
        readonly function: string;
        readonly count: number;
        readonly level?: string;
        readonly forSeconds: number;
        readonly staysSeconds: number;
      }
    | {
        readonly type: 'deployService';
        readonly service: string;
        readonly count: number;
        readonly parameters: Readonly<Record<string, unknown>>;
      }
    | { readonly type: 'terminateService'; readonly service: string; readonly count: number }
    | {
        readonly type: 'burstService';
        readonly service: string;
        readonly count: number;
        readonly parameters: Readonly<Record<string, unknown>>;
        readonly forSeconds: number;
        readonly staysSeconds: number;
      }
    | {
        readonly type: 'fail';
        readonly hosts: HostChoice;
        readonly share: number;
        /** The share is one of zones, and all hosts of a zone fail. */
        readonly wholeZones: boolean;
        readonly kind: FailureKind;
        /** Infinity: until a return. */
        readonly forSeconds: number;
        readonly returnWithinSeconds: number;
      }
    | { readonly type: 'return'; readonly hosts: HostChoice; readonly withinSeconds: number }
    | {
        readonly type: 'drain';
        readonly hosts: HostChoice;
        readonly share: number;
        readonly inTurn: boolean;
        /** Infinity: until a return. */
        readonly forSeconds: number;
      }
  );

/** What is played: all quantities parsed, all names resolved. */
export interface Scenario {
  readonly name: string;
  readonly seed: number;
  readonly durationSeconds: number;
  readonly sampleEverySeconds: number;
  readonly lookEverySeconds: number;
  readonly retryEverySeconds: number;
  readonly hosts: readonly HostGroup[];
  readonly functions: readonly ScenarioFunction[];
  readonly services: readonly ScenarioService[];
  readonly events: readonly ScenarioEvent[];
}
