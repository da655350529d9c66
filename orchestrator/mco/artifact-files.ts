/** Where the files of onboarded packages lie; plugged in by the composition root. */
export interface ArtifactFiles {
  /** Path and size of the file with that digest; undefined where there is none. */
  locate(digest: string): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined>;
}
