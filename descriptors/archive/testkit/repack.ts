import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { ZipFile } from 'yazl';

/** The texts of a package by their paths. */
export async function readTexts(file: string): Promise<Map<string, string>> {
  const zip = await openPromise(file, { autoClose: false, lazyEntries: true });
  try {
    const texts = new Map<string, string>();
    for await (const entry of zip.eachEntry())
      texts.set(entry.fileName, await text(await zip.openReadStreamPromise(entry)));
    return texts;
  } finally {
    zip.close();
  }
}

/** Another package, `repacked.zip` beside the first, with its files changed; nothing is checked. */
export async function repack(file: string, change: (texts: Map<string, string>) => void): Promise<string> {
  const texts = await readTexts(file);
  change(texts);
  const zip = new ZipFile();
  for (const [path, content] of texts) zip.addBuffer(Buffer.from(content), path);
  zip.end();
  const changed = join(dirname(file), 'repacked.zip');
  await pipeline(zip.outputStream, createWriteStream(changed));
  return changed;
}
