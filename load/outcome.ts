/** How one request ended. */
export interface Outcome {
  /** In a few words; undefined when it was answered as a device hopes. */
  readonly fault?: string;
}
