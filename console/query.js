// The search language as far as a search box must know it: where words and filters begin and end, never what they mean.

import {WRITTEN, fieldOf} from './fields.js';

const HEAD = /!*(?:([a-zA-Z0-9_.-]+)|"([a-zA-Z0-9_.:-]+)"|tags\[([^[\] \t\n",]+)(?:, *string)?\]):/y;
const LIST = /\[(?:"(?:[^"\\]|\\.)*"?|[^"\]])*\]?/y;
const QUOTED = /"(?:[^"\\]|\\"|\\(?!"))*"?/y;
const BARE = /[^ \t\n()]*/y;

function take(pattern, text, from) {
  pattern.lastIndex = from;
  return pattern.exec(text);
}

/**
 * The parts of a query, in order: filters {kind: 'filter', start, end, key, isTag, valueStart, value, form: 'bare' | 'quoted' | 'list'}, words and
 * operators {kind: 'word' | 'operator', start, end, text}. Half-written queries are read as far as they go.
 */
export function parts(text) {
  const found = [];
  let at = 0;
  while (at < text.length) {
    if (' \t\n()'.includes(text[at])) {
      at += 1;
      continue;
    }
    const head = take(HEAD, text, at);
    if (head) {
      const valueStart = at + head[0].length;
      const next = text[valueStart];
      const form = next === '"' ? 'quoted' : next === '[' ? 'list' : 'bare';
      const value = take({quoted: QUOTED, list: LIST, bare: BARE}[form], text, valueStart)[0];
      found.push({kind: 'filter', start: at, end: valueStart + value.length, key: head[1] ?? head[2] ?? head[3], isTag: head[3] !== undefined, valueStart, value, form});
      at = valueStart + value.length;
    } else {
      const word = take(text[at] === '"' ? QUOTED : BARE, text, at)[0];
      found.push({kind: /^(?:and|or)$/i.test(word) ? 'operator' : 'word', start: at, end: at + word.length, text: word});
      at += word.length;
    }
  }
  return found;
}

/** What somebody is writing at a place: {of: 'key', start, end, written} or {of: 'value', start, end, written, key, isTag, inList}. */
export function writing(text, caret) {
  const part = parts(text).find(({start, end}) => start <= caret && caret <= end);
  if (!part) return {of: 'key', start: caret, end: caret, written: ''};
  const begin = part.start + text.slice(part.start, caret).match(/^!*/)[0].length;
  if (part.kind !== 'filter') return {of: 'key', start: begin, end: part.end, written: text.slice(begin, caret)};
  if (caret < part.valueStart) return {of: 'key', start: begin, end: part.valueStart, written: text.slice(begin, caret)};
  const about = {of: 'value', key: part.key, isTag: part.isTag, inList: part.form === 'list'};
  if (part.form !== 'list') return {...about, start: part.valueStart, end: part.end, written: unquoted(text.slice(part.valueStart, caret))};
  for (const item of part.value.matchAll(/[[,] *("(?:[^"\\]|\\.)*"?|[^",\]]*)/g)) {
    const end = part.valueStart + item.index + item[0].length;
    const start = end - item[1].length;
    if (caret <= end) return {...about, start: Math.min(start, caret), end, written: unquoted(text.slice(start, caret))};
  }
  return {of: 'key', start: caret, end: caret, written: ''};   // behind the list
}

function unquoted(text) {
  return text.replace(/^"/, '').replace(/"$/, '').replaceAll('\\"', '"').replaceAll('\\*', '*');
}

/** A value as it is written in a query to mean just itself. */
export function quoted(value, inList = false) {
  const literal = value.replaceAll('*', '\\*');
  return literal === '' || /[\s()"]/.test(literal) || /^\[/.test(literal) || (inList && /[,\]]/.test(literal)) ? `"${literal.replaceAll('"', '\\"')}"` : literal;
}

/** A key as it is written in front of a colon; null for a tag that the language cannot name. */
export function named(key, isTag) {
  if (isTag && (fieldOf(key) || key === 'has' || key === 'is' || /[^a-zA-Z0-9_.-]/.test(key))) return /[[\]\s",]/.test(key) ? null : `tags[${key}]`;
  return key;
}

/** The plain words of a query: they look for a tag named "message", which is seldom what was meant. */
export function plainWords(text) {
  return parts(text).filter(({kind, text: word}) => kind === 'word' && !/^!*$/.test(word)).map(({text: word}) => unquoted(word));
}

/** Where the server's complaint about a query points: [start, end) in its text, or null. */
export function place(complaint, text) {
  const all = parts(text);
  const around = ({start, end}) => [start, end];
  const column = complaint.match(/\(column (\d+)\)/);
  if (column) {
    const at = Math.min(Number(column[1]) - 1, Math.max(0, text.length - 1));
    return text ? [at, Math.max(at + 1, /[()]/.test(text[at]) ? at + 1 : all.find(({start, end}) => start <= at && at < end)?.end ?? 0)] : null;
  }
  const filters = all.filter(({kind}) => kind === 'filter');
  const names = [...complaint.matchAll(/`([^`]+)`|'([^']+)'|"([^"]+)"|^([\w.-]+): |field: (\S+)/g)].map((found) => found.slice(1).find(Boolean));
  for (const name of names) {
    const key = name.replace(/^!/, '').replace(/:$/, '');
    const same = filters.filter((filter) => filter.key === key);
    if (same.length) return around(same.find(suspicious) ?? same[0]);
    const operator = all.find(({kind, text: word}) => kind === 'operator' && word.toLowerCase() === name.toLowerCase());
    if (operator) return around(operator);
    const at = text.indexOf(name);
    if (at >= 0) return [at, at + name.length];
  }
  if (/selector/i.test(complaint) || /attribute/i.test(complaint) || /'=' operator/.test(complaint)) {
    const selector = filters.filter(({key}) => key.endsWith('.selector'));
    if (selector.length === 1) return around(selector[0]);
  }
  return null;
}

/** Whether a filter's value does not look like one of its field, or is empty. */
function suspicious({key, isTag, value, form}) {
  const pattern = isTag ? null : WRITTEN[fieldOf(key)?.kind];
  if (value === '') return true;
  if (!pattern || value === '""') return false;
  const values = form === 'list' ? value.slice(1).replace(/\]$/, '').split(/ *, */) : [value];
  return !values.every((one) => pattern.test(unquoted(one)));
}
