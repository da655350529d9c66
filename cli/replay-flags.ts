/** What `iotmano scaling replay` is asked for. */
export interface ReplayFlags {
  readonly trace: string;
  readonly policy: readonly string[];
  readonly speed?: number;
  readonly perInstance?: number;
  readonly full: number;
  readonly min: number;
  readonly max: number;
  readonly start: number;
  readonly patience: number;
  readonly collect: number;
}

/** Of one row of a trace, when nobody says how fast it is played. */
export const ROW_SECONDS = 60;
export const PEAK_INSTANCES = 8;
