import { hash } from 'node:crypto';
import {
  OPERATION,
  RESOURCE_TYPE,
  RSC,
  type FilterCriteria,
  type RequestPrimitive,
} from '../../shared/index.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Every value of each header, as `IncomingMessage.headersDistinct` has them. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly body: string;
}

export type ParsedRequest =
  | { readonly isValid: true; readonly primitive: RequestPrimitive }
  | { readonly isValid: false; readonly rsc: number; readonly reason: string };

const RELEASES = ['2a', '3', '4', '5'];
const OPERATIONS: Readonly<Record<string, number>> = {
  GET: OPERATION.retrieve,
  PUT: OPERATION.update,
  DELETE: OPERATION.delete,
};
const CONTENT_TYPES = [
  'application/json',
  'application/vnd.onem2m-res+json',
  'application/vnd.onem2m-ntfy+json',
];
const MAX_FIELD = 512;
const MAX_DEPTH = 64;

/** Parameters that carry one whole number. */
const NUMBERS = ['rcn', 'drt', 'fu', 'lim', 'ofst', 'lvl'];
/** Parameters that may be repeated, or hold several values joined by `+` (which a query string shows as a blank). */
const LISTS = ['ty', 'lbl'];
const TEXTS = ['crb', 'cra'];
/** Parameters of the standard (TS-0009 clause 6.2.2.2) that this CSE does not act on, and so refuses. */
const NOT_SUPPORTED =
  'rt rp da gid rids tids atrl ms us sts stb exb exa sza szb cty catr patr fo arp smf labq chty pty clbl palb cr aoa'.split(
    ' ',
  );

class Fault {
  readonly rsc: number;
  readonly reason: string;
  constructor(rsc: number, reason: string) {
    this.rsc = rsc;
    this.reason = reason;
  }
}

/** HTTP to a oneM2M request primitive (TS-0009 clause 6.2), syntax checked. The primitive knows nothing of HTTP any more. */
export function parseHttpRequest(request: HttpRequest, newKey: () => string): ParsedRequest {
  const { headers } = request;
  const fr = fieldOf(headers, 'x-m2m-origin');
  const rqi = fieldOf(headers, 'x-m2m-ri');
  const rvi = fieldOf(headers, 'x-m2m-rvi');
  if (rqi === undefined) return invalid(RSC.badRequest, faultOfField('X-M2M-RI'));
  if (rvi === undefined) return invalid(RSC.badRequest, faultOfField('X-M2M-RVI'));
  if (!RELEASES.includes(rvi)) {
    return invalid(
      RSC.releaseVersionNotSupported,
      `release ${rvi.slice(0, 10)} is not one of ${RELEASES.join(', ')}`,
    );
  }
  const kind = operationOf(request);
  if (kind instanceof Fault) return invalid(kind.rsc, kind.reason);
  const { op, ty } = kind;
  const isOriginGiven = headers['x-m2m-origin'] !== undefined;
  if (fr === undefined && (isOriginGiven || !(op === OPERATION.create && ty === RESOURCE_TYPE.ae))) {
    return invalid(RSC.badRequest, faultOfField('X-M2M-Origin'));
  }
  const cut = request.url.indexOf('?');
  const to = addressOf(cut < 0 ? request.url : request.url.slice(0, cut));
  if (to === undefined) return invalid(RSC.badRequest, 'the path is not a oneM2M address');
  const query = cut < 0 ? {} : parseQuery(request.url.slice(cut + 1));
  if (query instanceof Fault) return invalid(query.rsc, query.reason);
  const content = contentOf(request, op);
  if (content instanceof Fault) return invalid(content.rsc, content.reason);
  const origin = fr ?? '';
  const asked = [op, to, ty ?? 0, query.rcn ?? '', request.body].join('\n');
  const named = isAnonymous(origin) ? newKey() : requestKey(origin, rqi, asked);
  const key = op === OPERATION.retrieve ? '' : named;
  return {
    isValid: true,
    primitive: {
      op,
      to,
      fr: origin,
      rqi,
      rvi,
      key,
      ...query,
      ...(ty === undefined ? {} : { ty }),
      ...content,
    },
  };
}

/** Devices that have no AE-ID yet cannot be told apart: two of them that use the same X-M2M-RI must not become one AE. */
function isAnonymous(originator: string): boolean {
  return originator === '' || originator === 'C' || originator === 'S';
}

/**
 * Names a request: an originator that tries again under the same X-M2M-RI names the same one. What is asked for is part of
 * the name, so that a device that numbers its requests carelessly is not given another request's answer.
 */
function requestKey(originator: string, requestId: string, asked: string): string {
  return hash('sha256', `${originator}\n${requestId}\n${asked}`, 'base64url').slice(0, 27);
}

function invalid(rsc: number, reason: string): ParsedRequest {
  return { isValid: false, rsc, reason };
}

/** Undefined when absent, or given more than once: which of two originators is meant is not to be guessed. */
function fieldOf(headers: HttpRequest['headers'], name: string): string | undefined {
  const [value, ...others] = headers[name] ?? [];
  return value !== undefined &&
    others.length === 0 &&
    value.length <= MAX_FIELD &&
    /^[\x20-\x7e]*$/.test(value)
    ? value
    : undefined;
}

function faultOfField(name: string): string {
  return `the header ${name} must be given once, in at most ${MAX_FIELD} visible characters`;
}

function operationOf(request: HttpRequest): { op: number; ty?: number } | Fault {
  if (request.method !== 'POST') {
    const op = OPERATIONS[request.method];
    return op === undefined
      ? new Fault(RSC.operationNotAllowed, `${request.method} is not a oneM2M operation`)
      : { op };
  }
  const ty = /;\s*ty=(\d{1,5})\s*(?:;|$)/.exec(contentTypeOf(request))?.[1];
  return ty === undefined ? { op: OPERATION.notify } : { op: OPERATION.create, ty: Number(ty) };
}

function contentTypeOf({ headers }: HttpRequest): string {
  return headers['content-type']?.join(',') ?? '';
}

/** `/x` is CSE-relative, `/~/cse/x` SP-relative, `/_/sp/cse/x` absolute (TS-0009 clause 6.2.2.1). */
function addressOf(path: string): string | undefined {
  if (path.startsWith('/~/')) return path.slice(2);
  if (path.startsWith('/_/')) return `/${path.slice(2)}`;
  return path.length > 1 && path.startsWith('/') ? path.slice(1) : undefined;
}

function parseQuery(text: string): { rcn?: number; drt?: number; fc?: FilterCriteria } | Fault {
  const values: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (NUMBERS.includes(name)) {
      if (!/^\d{1,9}$/.test(value))
        return new Fault(RSC.badRequest, `the parameter ${name} must be a whole number`);
      values[name] = Number(value);
    } else if (LISTS.includes(name)) {
      const items = name === 'ty' ? value.split(/[ +,]/).map(Number) : [value];
      if (items.some((item) => item === 0 || Number.isNaN(item)))
        return new Fault(RSC.badRequest, 'the parameter ty must be resource types');
      values[name] = [...((values[name] as unknown[] | undefined) ?? []), ...items];
    } else if (TEXTS.includes(name)) {
      values[name] = value;
    } else if (name !== 'rt' || value !== '3') {
      const shown = `${name.slice(0, 40)}=${value.slice(0, 40)}`;
      return NOT_SUPPORTED.includes(name)
        ? new Fault(RSC.notImplemented, `this CSE does not support the parameter ${shown}`)
        : new Fault(RSC.badRequest, `${shown} is not a parameter of a request`);
    }
  }
  const { rcn, drt, ...fc } = values;
  return {
    ...(rcn === undefined ? {} : { rcn: Number(rcn) }),
    ...(drt === undefined ? {} : { drt: Number(drt) }),
    ...(Object.keys(fc).length === 0 ? {} : { fc }),
  };
}

function contentOf(request: HttpRequest, op: number): { pc?: unknown } | Fault {
  if (op === OPERATION.retrieve || op === OPERATION.delete) return {};
  const type = contentTypeOf(request).split(';')[0]?.trim().toLowerCase() ?? '';
  if (!CONTENT_TYPES.includes(type))
    return new Fault(RSC.unsupportedMediaType, `the content type must be one of ${CONTENT_TYPES.join(', ')}`);
  try {
    const pc: unknown = JSON.parse(request.body);
    if (isDeeperThan(pc, MAX_DEPTH))
      return new Fault(RSC.badRequest, `the content is nested deeper than ${MAX_DEPTH} levels`);
    if (typeof pc === 'object' && pc !== null && !Array.isArray(pc)) return { pc };
  } catch {
    // Told below.
  }
  return new Fault(RSC.badRequest, 'the content is not a JSON object');
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
