/** The texts of the SOL004 layout: TOSCA.meta and the manifest. */

/** Blocks of `Key: value` lines, separated by empty lines. */
function parseBlocks(text: string): Map<string, string>[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n[ \t]*\r?\n/)
    .map((block) => new Map(block.split(/\r?\n/).flatMap(parseLine)));
}

function parseLine(line: string): [string, string][] {
  const colon = line.indexOf(':');
  if (colon === -1) return [];
  return [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
}

export interface ToscaMeta {
  readonly entryDefinitions?: string;
  readonly entryManifest?: string;
  /** The file with the certificate of the signer. */
  readonly entryCertificate?: string;
}

export function parseToscaMeta(text: string): ToscaMeta {
  const [block = new Map<string, string>()] = parseBlocks(text);
  const entryDefinitions = block.get('entry-definitions');
  const entryManifest = block.get('etsi-entry-manifest') ?? block.get('entry-manifest');
  const entryCertificate = block.get('etsi-entry-certificate') ?? block.get('entry-certificate');
  return {
    ...(entryDefinitions === undefined ? {} : { entryDefinitions }),
    ...(entryManifest === undefined ? {} : { entryManifest }),
    ...(entryCertificate === undefined ? {} : { entryCertificate }),
  };
}

export interface PackageManifest {
  /** E.g. `vnf_product_name`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** path → `sha256:<hex>`; paths with another algorithm are in `otherAlgorithms`. */
  readonly digests: ReadonlyMap<string, string>;
  readonly otherAlgorithms: readonly string[];
}

export function parseManifest(text: string): PackageManifest {
  const metadata: Record<string, string> = {};
  const digests = new Map<string, string>();
  const otherAlgorithms: string[] = [];
  for (const block of parseBlocks(text)) {
    const source = block.get('source');
    const hash = block.get('hash')?.toLowerCase() ?? '';
    if (source !== undefined) {
      const isSha256 = /^sha-?256$/i.test(block.get('algorithm') ?? '') && /^[0-9a-f]{64}$/.test(hash);
      if (isSha256) digests.set(source, `sha256:${hash}`);
      else otherAlgorithms.push(source);
    } else if (block.has('metadata')) {
      for (const [key, value] of block) if (key !== 'metadata' && key !== '__proto__') metadata[key] = value;
    }
  }
  return { metadata, digests, otherAlgorithms };
}

export function renderToscaMeta(definitions: string, manifest: string): string {
  return [
    'TOSCA-Meta-File-Version: 1.0',
    'CSAR-Version: 1.1',
    'Created-By: iotmano',
    `Entry-Definitions: ${definitions}`,
    `ETSI-Entry-Manifest: ${manifest}`,
    '',
  ].join('\n');
}

/** @param digests path → `sha256:<hex>` */
export function renderManifest(
  metadata: Readonly<Record<string, string>>,
  digests: readonly (readonly [string, string])[],
): string {
  const head = ['metadata:', ...Object.entries(metadata).map(([key, value]) => `  ${key}: ${value}`)];
  const sources = digests.map(([path, digest]) =>
    [`Source: ${path}`, 'Algorithm: SHA-256', `Hash: ${digest.replace('sha256:', '')}`].join('\n'),
  );
  return `${[head.join('\n'), ...sources].join('\n\n')}\n`;
}
