/**
 * Builds the image of the catalogue's functions with the Docker Engine at hand (`DOCKER_HOST`, as the docker command has it).
 * `node vnf-catalog/build-images.ts [--base IMAGE] [--tag NAME] [--save DIRECTORY]`
 */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { IotmanoError, messageOf } from '../kernel/index.ts';
import { layOutImageContext, type ImageContext } from './image-context.ts';

const DEFAULT_BASE = 'node:24-slim';

export interface BuildImageOptions {
  /** Image with Node 24 and a shell; absent: `node:24-slim`. */
  readonly base?: string;
  /** Absent: the name that the descriptors use. */
  readonly tag?: string;
}

export interface BuiltImage extends Omit<ImageContext, 'image'> {
  readonly tag: string;
  /** `sha256:<hex>` of the image's configuration. */
  readonly id: string;
  readonly sizeBytes: number;
  /** How much of it is the base. */
  readonly baseSizeBytes: number;
}

/**
 * Builds the image, and sees that what comes from outside of the sources (nats-server, haproxy) runs in it as its user.
 * @throws IotmanoError `unavailable` without docker or its engine, `artifact-unusable` when the build fails
 */
export async function buildImage({ base = DEFAULT_BASE, tag }: BuildImageOptions = {}): Promise<BuiltImage> {
  demandDocker();
  const directory = mkdtempSync(join(tmpdir(), 'iotmano-image-'));
  try {
    const { image, ...context } = await layOutImageContext(directory);
    const name = tag ?? image;
    docker(['build', '--tag', name, '--build-arg', `BASE=${base}`, directory]);
    const check = ['run', '--rm', '--read-only', '--network', 'none', '--cap-drop', 'ALL', name];
    docker([...check, 'nats-server', '--version']);
    docker([...check, 'haproxy', '-v']);
    const { id, sizeBytes } = inspect(name);
    return { tag: name, id, sizeBytes, baseSizeBytes: inspect(base).sizeBytes, ...context };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes the image as an archive that an artifact's `files` can name. @returns the path */
export async function saveImage(tag: string, directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${tag.replaceAll(/[/:]/g, '-')}.tar.gz`);
  const child = spawn('docker', ['save', tag], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  await pipeline(child.stdout, createGzip(), createWriteStream(file));
  if ((await ended) !== 0) {
    rmSync(file, { force: true });
    throw new IotmanoError('unavailable', `docker save ${tag} failed: docker says why above`);
  }
  return file;
}

function demandDocker(): void {
  const { error, status, stderr } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (error !== undefined) {
    throw new IotmanoError(
      'unavailable',
      `images are built with the docker command, and it cannot be started (${error.message}): install it (Debian: apt-get install docker.io)`,
    );
  }
  if (status !== 0) {
    throw new IotmanoError(
      'unavailable',
      `no Docker Engine answers (${stderr.trim()}): start one, or name another in DOCKER_HOST`,
    );
  }
}

/** @returns what it prints */
function docker(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  });
  if (status === 0) return stdout;
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-12).join('\n');
  throw new IotmanoError('artifact-unusable', `docker ${args.join(' ')} failed:\n${said}`);
}

function inspect(image: string): { readonly id: string; readonly sizeBytes: number } {
  const [id = '', size = ''] = docker(['image', 'inspect', '--format', '{{.Id}} {{.Size}}', image])
    .trim()
    .split(' ');
  return { id, sizeBytes: Number(size) };
}

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: { base: { type: 'string' }, tag: { type: 'string' }, save: { type: 'string' } },
    });
    const { save, ...options } = values;
    const built = await buildImage(options);
    const { tag, id, sizeBytes, baseSizeBytes } = built;
    console.log(`${tag}  ${id}`);
    console.log(
      `  ${inMegabytes(sizeBytes)}, of which ${inMegabytes(sizeBytes - baseSizeBytes)} beyond ${options.base ?? DEFAULT_BASE}`,
    );
    console.log(`  ${built.functions.join(', ')}; ${built.natsServer}; ${built.haproxy}`);
    if (save !== undefined) console.log(`  saved as ${await saveImage(tag, save)}`);
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
