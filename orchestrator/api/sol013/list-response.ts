import { IotmanoError } from '../../../kernel/index.ts';
import type { ApiRequest, ApiResponse } from '../route-types.ts';
import { matchesFilter, parseFilter, type Filter } from './filter.ts';
import { parseSelectors, type ResourceShape } from './selectors.ts';

/** Resources on one page. */
const PAGE_SIZE = 200;

/** For resources without selectors: all attributes, always. */
export const WHOLE: ResourceShape = { attributes: [], optionalComplex: [], excludedByDefault: [] };

/**
 * The answer to a GET of a list: filter, selectors and paging of SOL013 clauses 5.2 to 5.4.
 * @param rows in ascending order of id (as a store lists them), of the caller's tenant only
 * @param render the full resource of a row
 * @throws IotmanoError `invalid-filter`, `invalid-parameter`
 */
export function listResponse<Row extends { readonly id: string }, Resource extends object>(
  request: ApiRequest,
  rows: Iterable<Row>,
  render: (row: Row) => Resource,
  shape: ResourceShape = WHOLE,
): ApiResponse {
  const filter = filterOf(request, shape);
  const select = parseSelectors(request.query, shape);
  const after = afterOf(request);
  const page: Readonly<Record<string, unknown>>[] = [];
  let last = '';
  for (const row of rows) {
    if (after !== undefined && row.id <= after) continue;
    const resource = render(row) as Readonly<Record<string, unknown>>;
    if (!matchesFilter(filter, resource)) continue;
    if (page.length === PAGE_SIZE)
      return { status: 200, headers: { Link: linkToNext(request, last) }, body: page };
    page.push(select(resource));
    last = row.id;
  }
  return { status: 200, body: page };
}

function filterOf(request: ApiRequest, shape: ResourceShape): Filter {
  const text = request.query.get('filter');
  if (text === null) return [];
  const filter = parseFilter(text);
  for (const { path } of filter) {
    const [first = ''] = path;
    if (shape.attributes.length === 0 || shape.attributes.includes(first)) continue;
    throw new IotmanoError(
      'invalid-filter',
      `filter: there is no attribute ${JSON.stringify(first.slice(0, 60))}; use one of ${shape.attributes.join(', ')}`,
      { parameter: 'filter' },
    );
  }
  return filter;
}

/** The marker is the id of the last resource of the page before: pages stay right while resources come and go. */
function afterOf(request: ApiRequest): string | undefined {
  const marker = request.query.get('nextpage_opaque_marker');
  if (marker === null) return undefined;
  const text = Buffer.from(marker, 'base64url').toString('utf8');
  if (text.startsWith('after:') && Buffer.from(text).toString('base64url') === marker)
    return text.slice('after:'.length);
  throw new IotmanoError(
    'invalid-parameter',
    'query parameter nextpage_opaque_marker is not one of ours; follow the Link header of the page before',
    { parameter: 'nextpage_opaque_marker' },
  );
}

function linkToNext(request: ApiRequest, last: string): string {
  const query = new URLSearchParams(request.query);
  query.set('nextpage_opaque_marker', Buffer.from(`after:${last}`).toString('base64url'));
  return `<${request.origin}${request.path}?${query.toString()}>; rel="next"`;
}
