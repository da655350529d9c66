/** One message and what it was answered with, as a report shows it. */
export interface Exchange {
  /** Milliseconds since the case began. */
  readonly atMilliseconds: number;
  readonly operation: string;
  readonly request: Shown;
  /** Absent: there was no answer. */
  readonly answer?: Shown & { readonly status: number };
  /** Why there was no answer. */
  readonly note?: string;
}

export interface Shown {
  readonly line?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const KEPT_EXCHANGES = 40;
const KEPT_CHARACTERS = 2000;
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization']);
const SECRET_MEMBERS = /("(?:token|proof|nonce)"\s*:\s*")[^"]*(")/g;

/** What went over the wire during one case: the newest exchanges, cut to a bound, without secrets. */
export interface Trace {
  add(exchange: Exchange): void;
  readonly exchanges: readonly Exchange[];
}

export function createTrace(): Trace {
  const exchanges: Exchange[] = [];
  return {
    exchanges,
    add: (exchange) => {
      exchanges.push(exchange);
      if (exchanges.length > KEPT_EXCHANGES) exchanges.shift();
    },
  };
}

/** A message without its secrets, and no longer than a report can bear. */
export function show(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: unknown,
  line?: string,
): Shown {
  const text = typeof body === 'string' ? body : body === undefined ? '' : (JSON.stringify(body) ?? '');
  const shown = text.replaceAll(SECRET_MEMBERS, '$1(secret)$2');
  return {
    ...(line === undefined ? {} : { line }),
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined
          ? []
          : [[name, SECRET_HEADERS.has(name.toLowerCase()) ? '(secret)' : String(value)]],
      ),
    ),
    ...(shown === ''
      ? {}
      : {
          body:
            shown.length > KEPT_CHARACTERS
              ? `${shown.slice(0, KEPT_CHARACTERS)}… (${shown.length} characters)`
              : shown,
        }),
  };
}
