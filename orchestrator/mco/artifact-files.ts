/** Where the files of onboarded packages lie: the packages room, as far as Mco needs it. */
export interface ArtifactFiles {
  /** @throws IotmanoError `not-found` */
  openArtifact(digest: string): Promise<{ readonly path: string; readonly sizeBytes: number }>;
}
