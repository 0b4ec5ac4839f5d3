// What can be searched and sorted by, as the search box tells people of it: a row a field. A tag is whatever is in no row.

/** kind → what is asked of such a field when nobody knows better: [[text, words], …]. Texts are offered as they are and may have an operator. */
const FEW = [['>0', 'at least one'], ['0', 'none'], ['>=5', 'five or more'], ['>=10', 'ten or more']];
export const IDEAS = {
  count: FEW,
  score: [['>=7', 'seven to ten'], ['>=5', 'five to ten'], ['<=2', 'one or two']],
  duration: [['>30s', 'longer than half a minute'], ['>5m', 'longer than five minutes'], ['>1h', 'longer than an hour'], ['<10s', 'shorter than ten seconds']],
  flag: [['true', 'yes'], ['false', 'no']],
  element: [['button', 'any button'], ['#checkout', 'by its id'], ['a.primary', 'by element and class']],
};

/** How values are written, as far as the place of a mistake can be told by it. */
export const WRITTEN = {
  count: /^(?:[<>]=?|!?=)?-?\d+(?:\.\d+)?[kmb]?$/i,
  score: /^(?:[<>]=?|!?=)?-?\d+(?:\.\d+)?[kmb]?$/i,
  duration: /^(?:[<>]=?|!?=)?(?:0|\d+000(?:ms)?|\d+(?:\.\d+)?(?:s|m|min|h|hr|d|day|w|wk))$/i,   // whole seconds
  flag: /^(?:true|false|1|0)$/i,
  id: /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i,
  address: /^(?:\d{1,3}\.){3}\d{1,3}$/,
};

/** Group → [key, kind, words, the name of its values at the tag endpoint if they can be asked for, other names …]. */
const TABLE = {
  Person: [
    ['user.email', 'text', 'e-mail address', 'user.email'],
    ['user.username', 'text', 'user name', 'user.username', 'user'],
    ['user.id', 'text', 'user id', 'user.id'],
    ['user.ip', 'address', 'IPv4 address', 'user.ip', 'user.ip_address'],
    ['user.geo.country_code', 'text', 'country'],
    ['user.geo.region', 'text', 'region'],
    ['user.geo.subdivision', 'text', 'subdivision'],
    ['user.geo.city', 'text', 'city'],
    ['viewed_by_me', 'flag', 'I have watched it', null, 'seen_by_me'],
    ['viewed_by_id', 'number', 'watched by (user number)', null, 'seen_by_id'],
  ],
  Trouble: [
    ['count_errors', 'count', 'errors'],
    ['count_rage_clicks', 'count', 'rage clicks'],
    ['count_dead_clicks', 'count', 'dead clicks'],
    ['count_warnings', 'count', 'warnings'],
    ['count_infos', 'count', 'info events'],
    ['rage.selector', 'element', 'rage-clicked element'],
    ['dead.selector', 'element', 'dead-clicked element'],
    ['error_ids', 'id', 'error event', null, 'error_id'],
    ['warning_ids', 'id', 'warning event', null, 'warning_id'],
    ['info_ids', 'id', 'info event', null, 'info_id'],
    ['trace_ids', 'id', 'trace', null, 'trace_id', 'trace'],
  ],
  Session: [
    ['urls', 'text', 'visited page', 'url', 'url', 'screens', 'screen'],
    ['duration', 'duration', 'length'],
    ['activity', 'score', 'how busy it was, one to ten'],
    ['releases', 'text', 'release', 'release', 'release'],
    ['environment', 'text', 'environment', 'environment'],
    ['count_urls', 'count', 'visited pages', null, 'count_screens'],
    ['count_segments', 'count', 'pieces of the recording'],
    ['count_traces', 'count', 'traces'],
    ['dist', 'text', 'distribution', 'dist'],
    ['replay_type', 'text', 'session or buffer', 'replay_type'],
    ['is_archived', 'flag', 'deleted'],
    ['id', 'id', 'replay'],
  ],
  Browser: [
    ['browser.name', 'text', 'browser', 'browser.name', 'browser'],
    ['browser.version', 'text', 'browser version', 'browser.version'],
    ['os.name', 'text', 'operating system', 'os.name', 'os'],
    ['os.version', 'text', 'system version', 'os.version'],
    ['device.name', 'text', 'device', 'device.name', 'device'],
    ['device.brand', 'text', 'maker', 'device.brand'],
    ['device.family', 'text', 'device family', 'device.family'],
    ['device.model', 'text', 'device model', 'device.model_id', 'device.model_id'],
    ['platform', 'text', 'platform', 'platform'],
    ['sdk.name', 'text', 'SDK', 'sdk.name', 'sdk'],
    ['sdk.version', 'text', 'SDK version', 'sdk.version'],
    ['ota_updates.channel', 'text', 'update channel'],
    ['ota_updates.runtime_version', 'text', 'update runtime'],
    ['ota_updates.update_id', 'text', 'update'],
  ],
  Clicks: [
    ['click.selector', 'element', 'clicked element'],
    ['click.textContent', 'text', 'text of what was clicked'],
    ['click.label', 'text', 'ARIA label'],
    ['click.id', 'text', 'id attribute'],
    ['click.class', 'text', 'class'],
    ['click.tag', 'text', 'element name'],
    ['click.role', 'text', 'ARIA role'],
    ['click.testid', 'text', 'test id'],
    ['click.title', 'text', 'title attribute'],
    ['click.alt', 'text', 'alternative text'],
    ['click.component_name', 'text', 'component'],
    ['tap.message', 'text', 'tap'],
    ['tap.view_class', 'text', 'tapped view class'],
    ['tap.view_id', 'text', 'tapped view'],
  ],
};

export const FIELDS = Object.entries(TABLE).flatMap(([group, rows]) => rows.map(([key, kind, words, values = null, ...aliases]) => ({group, key, kind, words, values, aliases})));

const BY_NAME = new Map(FIELDS.flatMap((field) => [field.key, ...field.aliases].map((name) => [name, field])));

/** The field that goes by a name; null for a tag. */
export const fieldOf = (name) => BY_NAME.get(name) ?? null;

const [MOST, LAST, FIRST] = [['most first', 'fewest first'], ['newest first', 'oldest first'], ['Z to A', 'A to Z']];
const LENGTH = ['longest first', 'shortest first'];

/** [key, label, [words of the descending order, of the ascending one], what a row shows of it unless its columns do]. */
const ORDERS = {
  Session: [
    ['started_at', 'Start', LAST],
    ['finished_at', 'End', LAST, (replay) => `ended ${replay.finished_at?.slice(0, 16).replace('T', ' ') ?? '–'} UTC`],
    ['duration', 'Length', LENGTH],
    ['activity', 'Activity', MOST, (replay) => `activity ${replay.activity ?? '–'}`],
    ['count_urls', 'Pages', MOST, (replay) => `${replay.count_urls ?? '–'} pages`],
    ['project_id', 'Project', ['highest number first', 'lowest number first']],
  ],
  Trouble: [
    ['count_errors', 'Errors', MOST],
    ['count_rage_clicks', 'Rage clicks', MOST],
    ['count_dead_clicks', 'Dead clicks', MOST],
    ['count_warnings', 'Warnings', MOST, (replay) => `${replay.count_warnings ?? '–'} warnings`],
    ['count_infos', 'Info events', MOST, (replay) => `${replay.count_infos ?? '–'} info events`],
  ],
  Person: [
    ['user.email', 'E-mail address', FIRST, (replay) => replay.user?.email ?? 'no address'],
    ['user.username', 'User name', FIRST, (replay) => replay.user?.username ?? 'no user name'],
    ['user.id', 'User id', FIRST, (replay) => replay.user?.id ?? 'no user id'],
  ],
  Browser: [
    ['browser.name', 'Browser', FIRST],
    ['browser.version', 'Browser version', FIRST, (replay) => replay.browser?.version ?? 'no version'],
    ['os.name', 'System', FIRST],
    ['os.version', 'System version', FIRST],
    ['device.name', 'Device', FIRST, (replay) => replay.device?.name ?? 'no device'],
    ['device.brand', 'Maker', FIRST, (replay) => replay.device?.brand ?? 'no maker'],
    ['device.family', 'Device family', FIRST, (replay) => replay.device?.family ?? 'no family'],
    ['device.model', 'Device model', FIRST, (replay) => replay.device?.model ?? 'no model'],
    ['platform', 'Platform', FIRST, (replay) => replay.platform ?? 'no platform'],
    ['sdk.name', 'SDK', FIRST, (replay) => replay.sdk?.name ?? 'no SDK'],
    ['dist', 'Distribution', FIRST, (replay) => replay.dist ?? 'no distribution'],
  ],
};

export const SORTS = Object.entries(ORDERS).flatMap(([group, rows]) => rows.map(([key, label, words, shows = null]) => ({group, key, label, words, shows})));
