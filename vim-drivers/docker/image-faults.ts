import { IotmanoError } from '../../kernel/index.ts';
import { refusalOf } from './engine-errors.ts';
import { WorkRefused } from './engine-work.ts';

/** What went wrong with a pull, in words. */
export function pullError(name: string, error: unknown): IotmanoError {
  const said = error instanceof WorkRefused ? error.message : refusalOf(error)?.said;
  if (said === undefined) return error instanceof IotmanoError ? error : unusableName(name, error);
  if (/pull access denied|unauthorized|authentication required|denied:/i.test(said))
    return new IotmanoError(
      'artifact-unusable',
      `the image ${name} is not on the engine, and its registry does not give it: it does not exist there, or the engine is not authorised (${said}); check the name, or docker login there`,
    );
  if (
    /manifest unknown|not found: manifest|manifest for .* not found|repository .* not found|name unknown/i.test(
      said,
    )
  )
    return new IotmanoError(
      'artifact-unusable',
      `the image ${name} is not on the engine, and its registry does not know it (${said}); check name and tag`,
    );
  if (/no matching manifest|does not match the specified platform/i.test(said))
    return new IotmanoError(
      'artifact-unusable',
      `the image ${name} is not made for the engine's machine (${said}); choose one that is`,
    );
  if (/invalid reference format|invalid tag|must be lowercase/i.test(said)) return unusableName(name, error);
  if (/no space left/i.test(said))
    return new IotmanoError(
      'unavailable',
      `the engine's disk is full: the image ${name} could not be pulled (${said})`,
    );
  return new IotmanoError(
    'unavailable',
    `the image ${name} is not on the engine, and its registry cannot be reached (${said}); load it with docker load, or see to the network of the engine`,
    {},
    error,
  );
}

export function unusableName(name: string, cause?: unknown): IotmanoError {
  return new IotmanoError(
    'artifact-unusable',
    `${JSON.stringify(name)} is no name of an image; write it as repository:tag`,
    {},
    cause,
  );
}
