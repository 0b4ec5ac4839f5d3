// The console's only way to the API: same origin, bearer token kept in sessionStorage, errors as ApiError.

const KEY = 'tapedeck.token';

/** Everything before /console: the stack's API lives under the same stage. */
export const base = location.pathname.replace(/\/console(\/.*)?$/, '');

export class ApiError extends Error {
  constructor(status, message, requestId) {
    super(message);
    this.status = status;
    this.requestId = requestId;
    this.title = {403: 'Not yours to see', 404: 'Not found', 429: 'Slow down', 0: 'No connection'}[status] ?? 'That did not work';
  }
}

export const token = () => sessionStorage.getItem(KEY);
export const signOut = () => sessionStorage.clear();
export const signIn = (value) => sessionStorage.setItem(KEY, value);

/** Takes #token=… out of the address before anything else happens, so that it is neither shared nor kept in the history. */
export function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return;
  if (given) {
    signOut();
    signIn(given);
  }
  history.replaceState(history.state, '', location.pathname + location.search);
}

const seg = encodeURIComponent;

async function call(path, {method = 'GET', body, signal, key} = {}) {
  const headers = {Authorization: `Bearer ${token()}`, ...(body && {'Content-Type': 'application/json'}), ...(key && {'Idempotency-Key': key})};
  let answer;
  try {
    answer = await fetch(base + path, {method, signal, headers, body: body && JSON.stringify(body), credentials: 'omit', cache: 'no-store'});
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The server cannot be reached. Is it running?');
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  const wrong = (Array.isArray(said) ? said : said?.errors ?? []).map((one) => (typeof one === 'string' ? {message: one} : one));   // invalid fields, each with its message
  const detail = said?.detail?.message ?? said?.detail ?? said?.msg ?? said?.message ?? (wrong.map(({message, field}) => (field ? `${field}: ${message}` : message)).join('; ') || null);
  const refused = new ApiError(answer.status, typeof detail === 'string' ? detail : `The server answered ${answer.status}.`, answer.headers.get('Request-Id'));
  refused.wrong = wrong;
  throw refused;
}

/** Link: <…>; rel="next"; results="true"; cursor="0:25:0" → {next: '0:25:0', previous: null}: only cursors that lead somewhere. */
export function cursors(header) {
  const found = {next: null, previous: null};
  for (const part of (header ?? '').split(/,\s*(?=<)/)) {
    const value = (name) => part.match(new RegExp(`${name}="([^"]*)"`))?.[1];
    if (value('results') === 'true' && value('rel') in found) found[value('rel')] = value('cursor');
  }
  return found;
}

let organizationOnce = null;

/** The caller's organization with its projects; asked once a session. */
export function organization() {
  organizationOnce ??= (async () => {
    const [first] = await (await call('/api/0/organizations/')).json();
    if (!first) throw new ApiError(403, 'This token belongs to no organization.');
    const full = await (await call(`/api/0/organizations/${seg(first.slug)}/`)).json();
    return {...first, ...full, projects: full.projects ?? []};
  })();
  organizationOnce.catch(forget);
  return organizationOnce;
}

export function forget() {
  organizationOnce = null;
}

/** A page of replays, the cursors of its neighbours, the server's time in milliseconds, rounded up to the second, and what the search took:
 *  how many replays were looked at, in how many milliseconds; null of a server that does not tell. */
export async function replays(parameters, signal) {
  const {slug} = await organization();
  const answer = await call(`/api/0/organizations/${seg(slug)}/replays/?${parameters}`, {signal});
  const told = Date.parse(answer.headers.get('Date') ?? '');
  const looked = answer.headers.get('X-Replays-Looked-At'), took = /dur=([\d.]+)/.exec(answer.headers.get('Server-Timing') ?? '')?.[1];
  const cost = looked && took ? {looked: Number(looked), took: Number(took)} : null;
  return {replays: (await answer.json()).data, cost, ...cursors(answer.headers.get('Link')), now: (Number.isNaN(told) ? Math.floor(Date.now() / 1000) * 1000 : told) + 1000};
}

/** The tags of the replays that the parameters choose: [{key, name, totalValues}], the most frequent first. */
export async function tags(parameters, signal) {
  const {slug} = await organization();
  return (await call(`/api/0/organizations/${seg(slug)}/tags/?dataset=replays&${parameters}`, {signal})).json();
}

/** The values of a tag, or of a field that goes by a tag's name, that contain a text: [{value, count, lastSeen, …}], the most frequent first. */
export async function tagValues(key, containing, parameters, signal) {
  const {slug} = await organization();
  const asked = new URLSearchParams({includeReplays: '1', sort: '-count', per_page: '25', ...(containing && {query: containing})});
  return (await call(`/api/0/organizations/${seg(slug)}/tags/${seg(key)}/values/?${asked}&${parameters}`, {signal})).json();
}

export async function replay(id, project, signal) {
  const {slug} = await organization();
  const path = project ? `/api/0/projects/${seg(slug)}/${seg(project)}/replays/${seg(id)}/` : `/api/0/organizations/${seg(slug)}/replays/${seg(id)}/`;
  return (await (await call(path, {signal})).json()).data;
}

export async function recordView(id, project) {
  const {slug} = await organization();
  await call(`/api/0/projects/${seg(slug)}/${seg(project)}/replays/${seg(id)}/viewed-by/`, {method: 'POST'});
}

/** Large pages may come straight from the bucket, compressed as they are stored there. */
async function unpacked(answer) {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const format = {0x78: 'deflate', 0x1f: 'gzip'}[bytes[0]];
  if (!format) return JSON.parse(new TextDecoder().decode(bytes));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format))).json();
}

/** All segments, in order: [[event, …], …]. A redirect hides the Link header from pages, so the cursor is then counted instead. */
export async function segments(id, project, count, {signal, onprogress}) {
  const {slug} = await organization();
  const received = [];
  let cursor = '0:0:0';
  while (cursor) {
    const answer = await call(`/api/0/projects/${seg(slug)}/${seg(project)}/replays/${seg(id)}/recording-segments/?download&per_page=100&cursor=${seg(cursor)}`, {signal});
    const body = await unpacked(answer);
    const page = body.length > 0 && !Array.isArray(body[0]) ? [body] : body;
    received.push(...page);
    onprogress(received.length);
    if (!answer.redirected) cursor = cursors(answer.headers.get('Link')).next;
    else cursor = page.length > 0 && received.length < count ? `0:${received.length}:0` : null;
  }
  return received;
}

/** The buckets of the caller, one an environment: [{_id, name, …}]. */
export async function buckets(signal) {
  return (await call('/api/bucket', {signal})).json();
}

/** What happened in a bucket: [{app_name, events: [names], details: [{name, count, first, last}]}]. */
export async function eventNames(bucket, signal) {
  return (await call(`/api/bucket/${seg(bucket)}/data/eventsKeysByApp`, {signal})).json();
}

/** Numbers stay as they were sent, 4.20 and those that JavaScript has no room for, where the browser can do that. */
const verbatim = JSON.rawJSON && ((_, value, context) => (typeof value === 'number' && context && String(value) !== context.source ? JSON.rawJSON(context.source) : value));

/** A page of events, the newest first; asked is {event_name, app_name, server_name, start, end, limit, offset}. */
export async function events(bucket, asked, signal) {
  const answer = await call(`/api/bucket/${seg(bucket)}/data/events`, {method: 'POST', body: asked, signal});
  return JSON.parse(await answer.text(), verbatim);
}

/** [[start of the interval in milliseconds, count], …], ascending and without gaps; asked is {event_name, app_name, server_name, days, interval}. */
export async function distribution(bucket, asked, signal) {
  return (await call(`/api/bucket/${seg(bucket)}/data/events/stats`, {method: 'POST', body: asked, signal})).json();
}

/** {next, events}, the oldest first: what came from number `after` on, or comes within `wait` seconds; without `after` only where the end is. */
export async function newEvents(bucket, asked, signal) {
  const answer = await call(`/api/bucket/${seg(bucket)}/data/events/tail?${new URLSearchParams(asked)}`, {signal});
  return JSON.parse(await answer.text(), verbatim);
}

/** Who the token belongs to: {id, email, name, role, organization, scopes}; id is null for an organization's key. */
export async function me(signal) {
  return (await call('/api/users/me', {signal})).json();
}

/** The environments in which the caller has a role: [{id, name, slug, role, …}]. */
export async function environments(signal) {
  return (await call('/api/environments', {signal})).json();
}

/** Change an environment: what is left out stays as it is. */
export async function changeEnvironment(environment, asked) {
  return (await call(`/api/environments/${seg(environment)}`, {method: 'PUT', body: asked})).json();
}

/** The people of an environment: [{userId, name, email, role}], the owner first. */
export async function members(environment, signal) {
  return (await call(`/api/environments/${seg(environment)}/members`, {signal})).json();
}

/** One more of them; asked is {email, role}. */
export async function addMember(environment, asked) {
  return (await call(`/api/environments/${seg(environment)}/members`, {method: 'POST', body: asked})).json();
}

export async function changeMember(environment, user, role) {
  return (await call(`/api/environments/${seg(environment)}/members/${seg(user)}`, {method: 'PUT', body: {role}})).json();
}

export async function removeMember(environment, user) {
  return (await call(`/api/environments/${seg(environment)}/members/${seg(user)}`, {method: 'DELETE'})).json();
}

/** Captures, the oldest first, of one environment or of all: [{id, name, status, start, end, scheduledStart, scheduledEnd, …}]. */
export async function captures(environment, signal) {
  return (await call(`/api/captures${environment ? `?envId=${seg(environment)}` : ''}`, {signal})).json();
}

export async function capture(id, signal) {
  return (await call(`/api/captures/${seg(id)}`, {signal})).json();
}

/** A new one; asked is {name, envId, status, scheduledStart, duration}. The same key makes one, however often it is asked for. */
export async function createCapture(asked, key) {
  return (await call('/api/captures', {method: 'POST', body: asked, key})).json();
}

export async function stopCapture(id) {
  return (await call(`/api/captures/${seg(id)}/stop`, {method: 'POST', body: {}})).json();
}

export async function deleteCapture(id) {
  return (await call(`/api/captures/${seg(id)}`, {method: 'DELETE'})).json();
}

/** Its metrics: [{type, displayName, complete, dataPoints: [{Timestamp, Maximum, Unit}]}]. */
export async function captureMetrics(id, signal) {
  return (await call(`/api/captures/${seg(id)}/metrics`, {signal})).json();
}

/** A collection: {id, name, type, environment, …}. */
export async function collection(id, signal) {
  return (await call(`/v1/collection/${seg(id)}`, {signal})).json();
}

/** {total, data: [envelopes]} of the events that a query finds, the newest first; asked is {query, from, size}. */
export async function searchCollection(id, asked, signal) {
  const answer = await call(`/v1/collection/${seg(id)}/search`, {method: 'POST', body: asked, signal});
  return JSON.parse(await answer.text(), verbatim);
}

/** The collections of the caller, the oldest first: [{id, name, type, environment, …}]. */
export async function collections(signal) {
  return (await call('/v1/collection', {signal})).json();
}

/** Event replays, the newest first: [{id, name, state, query, progress: {sent, failed, rate, eta, …}, collection, destination, …}]. */
export async function eventReplays(signal) {
  return Object.values(await (await call('/v1/replay', {signal})).json());
}

const only = async (answer) => Object.values(await (await answer).json())[0];

export async function eventReplay(id, signal) {
  return only(call(`/v1/replay/${seg(id)}`, {signal}));
}

/** A new one; asked is {name, collection_id, destination_id, query, type, concurrency}. The same key makes one, however often it is asked for. */
export async function createEventReplay(asked, key) {
  return only(call('/v1/replay', {method: 'POST', body: asked, key}));
}

/** What a new one would send: {matched, sample: [envelopes], estimate: {matched, events, looked_at, complete, seconds}}. */
export async function previewEventReplay(asked, signal) {
  const answer = await call('/v1/replay?dry_run=true', {method: 'POST', body: asked, signal});
  return JSON.parse(await answer.text(), verbatim);
}

/** Pauses one that runs, and resumes one that is paused; once under a key. */
export async function toggleEventReplay(id, key) {
  return only(call(`/v1/replay/${seg(id)}/toggle-pause`, {method: 'PUT', key}));
}

/** A new one, which sends again what this one means now. */
export async function redoEventReplay(id, key) {
  return only(call(`/v1/replay/${seg(id)}/redo`, {method: 'PUT', body: {}, key}));
}

export async function archiveEventReplay(id) {
  return only(call(`/v1/replay/${seg(id)}`, {method: 'DELETE'}));
}

/** What one has done, a page of lines from a cursor on, the oldest first: {entries: [{id, type, matched, sent, failed, message, at}], next}. */
export async function eventReplayHistory(id, cursor, signal) {
  const answer = await call(`/v1/replayer/history/${seg(id)}${cursor ? `?cursor=${seg(cursor)}` : ''}`, {signal});
  const entries = Object.entries(await answer.json()).map(([key, entry]) => ({id: key, ...entry}));
  return {entries, next: cursors(answer.headers.get('Link')).next};
}

/** Where events can be sent to, the oldest first: [{id, name, type, metadata, …}]. */
export async function destinations(signal) {
  return (await call('/v1/destination', {signal})).json();
}

/** A new one; asked is {name, type, metadata, max_per_second}. The same key makes one, however often it is asked for. */
export async function createDestination(asked, key) {
  return (await call('/v1/destination', {method: 'POST', body: asked, key})).json();
}

export async function deleteDestination(id) {
  return (await call(`/v1/destination/${seg(id)}`, {method: 'DELETE'})).json();
}

/** Sends one test event: {status, message, latency_ms, last_checked_at}. */
export async function testDestination(id) {
  return only(call(`/v1/destination/${seg(id)}/test`, {method: 'POST', body: {}}));
}

/** How each of them fares, by its id: {status, message, latency_ms, last_checked_at}. */
export async function destinationHealth(signal) {
  return (await call('/v1/health/destination', {signal})).json();
}

const data = async (answer) => (await (await answer).json()).data;

/** What an environment knows of a person: {userId, sessionCount, firstSeen, lastSeen}. `key` is the environment's projectKey. */
export async function person(key, user, signal) {
  return data(call(`/api/v1/${seg(key)}/users/${seg(user)}`, {signal}));
}

/** Their newest sessions, 50 at most: [{sessionId, startTs, duration, userBrowser, userOs, eventsCount, errorsCount, …}]. */
export async function personSessions(key, user, signal) {
  return data(call(`/api/v1/${seg(key)}/users/${seg(user)}/sessions`, {signal}));
}

/** Asks for their erasure, at the next midnight (UTC) or now: the job. */
export async function erasePerson(key, user, now) {
  return data(call(`/api/v1/${seg(key)}/users/${seg(user)}${now ? '?now=true' : ''}`, {method: 'DELETE'}));
}

/** Erasures, the newest first: [{jobId, status, referenceId, createdAt, startAt, errors, …}]. */
export async function erasures(key, signal) {
  return data(call(`/api/v1/${seg(key)}/jobs`, {signal}));
}

export async function cancelErasure(key, job) {
  return data(call(`/api/v1/${seg(key)}/jobs/${seg(job)}`, {method: 'DELETE'}));
}

/** The proof of one that is completed: {job_id, user_hash, counts, objects, completed_at, sha256, …}. A large one comes from the bucket, bare. */
export async function receipt(key, job, signal) {
  const told = await (await call(`/api/v1/${seg(key)}/jobs/${seg(job)}/receipt`, {signal})).json();
  return told.data ?? told;
}
