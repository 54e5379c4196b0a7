import { expect, test } from 'vitest';
import { findRsyncs, parseCronLines, scriptsIn } from '../../adapters/cron-rsync.ts';

test.each([
  ['*/5 * * * * rsync x', 5],
  ['* * * * * rsync x', 1],
  ['0 * * * * rsync x', 60],
  ['30 */6 * * * rsync x', 360],
  ['0 3 * * * rsync x', null],
  ['*/5 * * * 1-5 rsync x', null],
])('the period of %s is %s minutes', (line, everyMinutes) => {
  expect(parseCronLines(`/etc/cron.d/x:7:${line}`)).toEqual([
    { everyMinutes, command: 'rsync x', file: '/etc/cron.d/x', line: 7 },
  ]);
});

test('comments, settings and empty lines start nothing', () => {
  const lines = ['# */5 * * * * rsync x', 'SHELL=/bin/sh', '', '@reboot rsync x'];
  expect(parseCronLines(lines.map((line, at) => `/etc/crontab:${String(at)}:${line}`).join('\n'))).toEqual([]);
});

const found = (command: string) =>
  findRsyncs(command, 5).rsyncs.map(({ source, targetHost, target, deletes }) => [source, targetHost, target, deletes]);

test.each([
  ['rsync -avz --delete /srv/up/ root@10.0.0.2:/srv/up/', ['/srv/up/', '10.0.0.2', '/srv/up/', true]],
  ['root /usr/bin/rsync -a /srv/up db2:/srv/ >> /var/log/x 2>&1', ['/srv/up/', 'db2', '/srv/up/', false]],
  ['rsync -a -e "ssh -p 2222" --exclude /tmp "/srv/my up/" db2:/other/', ['/srv/my up/', 'db2', '/other/', false]],
  ['flock -n /run/l rsync -a /srv/up/ db2:/srv/up/ && echo ok', ['/srv/up/', 'db2', '/srv/up/', false]],
])('%s', (command, expected) => {
  expect(found(command)).toEqual([expected]);
});

test.each([
  'rsync -a db2:/srv/up/ /srv/up/',
  'rsync -a /srv/up/ /backup/up/',
  'rsync -a /a/ /b/ db2:/srv/',
  '# rsync -a /srv/up/ db2:/srv/up/',
  'echo rsyncd /srv/up/ db2:/srv/up/',
])('%s is no copy from here to another host', (command) => {
  expect(found(command)).toEqual([]);
});

test('a comment does not go on in the next line, whatever it ends with', () => {
  expect(found('# to the old one: \\\nrsync -a /srv/up/ db2:/srv/up/')).toEqual([
    ['/srv/up/', 'db2', '/srv/up/', false],
  ]);
});

test('a script with variables and a line that goes on is read as it runs', () => {
  const script = '#!/bin/sh\nSRC="/srv/up/"\nHOST=db2\nrsync -a \\\n  "$SRC" "root@${HOST}:$SRC"\n';
  expect(found(script)).toEqual([['/srv/up/', 'db2', '/srv/up/', false]]);
});

const targetsOf = (script: string) => findRsyncs(script, 5).rsyncs.map(({ targetHost }) => targetHost);
const unread = (script: string) => findRsyncs(script, 5).unread;

test.each([
  ['for h in web2 web3; do rsync -a /srv/up/ $h:/srv/up/; done', ['web2', 'web3']],
  ['#!/bin/sh\nfor h in web2 \\\n  web3 # both\ndo\n  rsync -a /srv/up/ "root@${h}:/srv/up/"\ndone', ['web2', 'web3']],
  ['#!/bin/sh\nHOSTS="web2 web3"\nfor h in $HOSTS; do\n  rsync -a /srv/up/ $h:/srv/up/\ndone', ['web2', 'web3']],
  ['for d in up img; do for h in a b; do rsync -a /srv/$d/ $h:/srv/$d/; done; done', ['a', 'b', 'a', 'b']],
  [
    'for h in a; do while true; do rsync -a /srv/up/ $h:/srv/up/; done; rsync -a /srv/up/ $h:/srv/up/; done',
    ['a', 'a'],
  ],
  ['RSYNC="/usr/bin/rsync -a"\n$RSYNC /srv/up/ db2:/srv/up/', ['db2']],
])('a loop over names that stand there is read as it runs: %s', (script, targets) => {
  expect(targetsOf(script)).toEqual(targets);
  expect(unread(script)).toEqual([]);
});

test.each([
  ['#!/bin/sh\nfor h in $(cat /etc/web); do\n  rsync -a /srv/up/ $h:/srv/up/\ndone', 3, /\$h/],
  ['for h in web*; do rsync -a /srv/up/ $h:/srv/up/; done', 1, /\$h/],
  ['for h in a b; do :; done\nrsync -a /srv/up/ ${h}:/srv/up/', 2, /\$\{h\}/],
  ['while read h; do rsync -a /srv/up/ $h:/srv/up/; done </etc/web', 1, /\$h/],
  ['rsync -a \\\n  /srv/up/ \\\n  "$1:/srv/up/"', 1, /\$1/],
  ['rsync "$@"', 1, /\$@/],
  ['rsync -a /a/ /b/ db2:/srv/', 1, /not one folder/],
  ['rsync -a db2:/srv/up/ /srv/up/', 1, /not one folder/],
  ['rsync -a /srv/up/ rsync://db2/up/', 1, /not one folder/],
])('what cannot be read is told of with its line: %s', (script, line, why) => {
  expect(targetsOf(script)).toEqual([]);
  expect(unread(script)).toEqual([{ line, why: expect.stringMatching(why) as string }]);
});

test.each([
  'rsync -a /srv/up/ /backup/up/',
  '# rsync -a /srv/up/ $h:/srv/up/',
  'command -v rsync >/dev/null || exit 1',
])('nothing is told of %s', (script) => {
  expect(findRsyncs(script, 5)).toEqual({ rsyncs: [], unread: [] });
});

test('the scripts of a command are its own programs, not those of the system, nor its log', () => {
  expect(scriptsIn('root /usr/bin/flock /usr/local/bin/sync.sh >> /dev/null')).toEqual(['/usr/local/bin/sync.sh']);
});
