import { renderTrace, type Trace } from '../../load/index.ts';

/** How the demand goes, and how much time is left between what is done to the service. All in seconds of the play. */
export interface Timetable {
  readonly calmSeconds: number;
  /** How long the demand is high, after that. */
  readonly highSeconds: number;
  /** How long the calm after it may last; the play ends as soon as all has been shown. */
  readonly restSeconds: number;
  /** Between one act and the next. */
  readonly pauseSeconds: number;
  /** Whether the orchestrator is killed, too. */
  readonly killsOrchestrator: boolean;
  /** Of the policy: how long nothing may have asked for more before instances go. */
  readonly stabilizationSeconds: number;
  /** Of the new version: how many copies more there may be meanwhile, and how long each has to be well. */
  readonly surge: number;
  readonly healthySeconds: number;
}

/** Requests per second. */
export const DEMAND = { calm: 3, high: 64 } as const;
export const DEVICES = 20;
/** Fewer than a copy has places: that devices register is no demand to scale for. */
export const REGISTERING = 3;

/** What a copy of request processing is declared to do: 25 requests a second, on whatever machine. */
export const DECLARED = { serviceMilliseconds: 200, concurrency: 5 } as const;
export const MOST_COPIES = 4;

export const THREE_MINUTES: Timetable = {
  calmSeconds: 15,
  highSeconds: 85,
  restSeconds: 150,
  pauseSeconds: 6,
  killsOrchestrator: true,
  stabilizationSeconds: 10,
  surge: 1,
  healthySeconds: 3,
};

export const ONE_MINUTE: Timetable = {
  calmSeconds: 4,
  highSeconds: 17,
  restSeconds: 150,
  pauseSeconds: 1,
  killsOrchestrator: false,
  stabilizationSeconds: 3,
  surge: 2,
  healthySeconds: 1,
};

/** The demand as a trace: calm, all devices at once as after a power cut, calm. */
export function demandOf({ calmSeconds, highSeconds, restSeconds }: Timetable): string {
  const fall = calmSeconds + highSeconds;
  const trace: Trace = {
    name: 'burst',
    startsAt: Date.UTC(2030, 0, 1),
    points: [
      { atSeconds: 0, value: DEMAND.calm },
      { atSeconds: calmSeconds, value: DEMAND.high },
      { atSeconds: fall, value: DEMAND.calm },
      { atSeconds: fall + restSeconds - 1, value: DEMAND.calm },
      { atSeconds: fall + restSeconds, value: DEMAND.calm },
    ],
  };
  return renderTrace(trace);
}
