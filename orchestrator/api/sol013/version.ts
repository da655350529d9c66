import { IotmanoError } from '../../../kernel/index.ts';

export interface VersionedApi {
  /** `/vnfpkgm/v2` */
  readonly uriPrefix: string;
  /** `2.4.0-impl:…` */
  readonly version: string;
}

/** SOL013 clause 9.1.2: MAJOR.MINOR.PATCH, optionally followed by implementation version information. */
const VERSION = /^(\d{1,5})\.(\d{1,5})\.(\d{1,5})(-impl:[\w.:-]{1,200})?$/;

/**
 * The version to answer with, by the Version header (SOL013 clause 9.3); the current one where the header is missing.
 * A request for an older minor version of the same major one is served: what is new is optional.
 * @returns undefined where the path is of no versioned API
 * @throws IotmanoError `malformed-request` (400), `not-acceptable` (406)
 */
export function negotiateVersion(
  header: string | undefined,
  apis: readonly VersionedApi[],
  path: string,
): string | undefined {
  const api = apis.find(
    ({ uriPrefix }) => path.startsWith(`${uriPrefix}/`) || path === unversioned(uriPrefix),
  );
  if (api === undefined) return undefined;
  if (header === undefined) return api.version;
  const asked = VERSION.exec(header.trim());
  if (asked === null) {
    throw new IotmanoError(
      'malformed-request',
      `header Version is ${JSON.stringify(header.slice(0, 60))}; write MAJOR.MINOR.PATCH, such as ${plain(api.version)}`,
      { parameter: 'Version' },
    );
  }
  const [major, minor = 0] = plain(api.version).split('.').map(Number);
  if (Number(asked[1]) === major && Number(asked[2]) <= minor) return api.version;
  throw new IotmanoError(
    'not-acceptable',
    `version ${header.slice(0, 60)} of ${api.uriPrefix} is not served; ${plain(api.version)} is`,
    { parameter: 'Version' },
  );
}

/** SOL013 clause 9.1.3.3: what `GET …/api_versions` answers. */
export function apiVersionInformation(api: VersionedApi): Record<string, unknown> {
  return {
    uriPrefix: api.uriPrefix.slice(1),
    apiVersions: [{ version: api.version, isDeprecated: false }],
  };
}

/** `/vnfpkgm/v2` → `/vnfpkgm/api_versions` */
export function unversioned(uriPrefix: string): string {
  return `${uriPrefix.slice(0, uriPrefix.lastIndexOf('/'))}/api_versions`;
}

function plain(version: string): string {
  return version.split('-', 1)[0] ?? version;
}
