import { IotmanoError, messageOf } from '../../kernel/index.ts';

/** What an archive of `docker save` says of itself. */
export interface ImageManifest {
  /** Ids of its images, as the engine names them once they are loaded. */
  readonly images: readonly { readonly id: string; readonly tags: readonly string[] }[];
}

const MANIFEST_BYTES = 1024 ** 2;

/** Reads the table of contents of an archive, without unpacking it. @throws IotmanoError `artifact-unusable` when it holds none */
export async function readImageArchive(file: string): Promise<ImageManifest> {
  const { list } = await import('tar'); // loaded only when an archive is: it costs memory for good
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    await list({
      file,
      strict: false,
      onReadEntry(entry) {
        if (entry.path !== 'manifest.json') return;
        entry.on('data', (chunk: Buffer) => {
          bytes += chunk.byteLength;
          if (bytes <= MANIFEST_BYTES) chunks.push(chunk);
        });
      },
    });
  } catch (error) {
    throw unusable(messageOf(error), error);
  }
  return parseManifest(Buffer.concat(chunks).toString());
}

export function parseManifest(text: string): ImageManifest {
  if (text === '') throw unusable('it holds no manifest.json');
  try {
    const entries = JSON.parse(text) as readonly { Config: string; RepoTags?: readonly string[] | null }[];
    const images = entries.map(({ Config, RepoTags }) => {
      const hex = /([0-9a-f]{64})(\.json)?$/.exec(Config)?.[1];
      if (hex === undefined) throw new RangeError(`"${Config}" names no image`);
      return { id: `sha256:${hex}`, tags: RepoTags ?? [] };
    });
    if (images.length === 0) throw new RangeError('it lists no image');
    return { images };
  } catch (error) {
    throw unusable(`its manifest.json cannot be read: ${messageOf(error)}`, error);
  }
}

function unusable(fault: string, cause?: unknown): IotmanoError {
  return new IotmanoError(
    'artifact-unusable',
    `the file is not an archive of an image (${fault}); make one with docker save`,
    {},
    cause,
  );
}
