import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

test('an empty environment gives a configuration for a developer machine', () => {
  expect(readConfig({})).toMatchObject({
    port: 3001,
    logLevel: 'info',
    database: { host: '127.0.0.1', port: 3306, name: 'myfin', user: 'myfin', password: '' },
    commit: 'unknown',
    environment: 'local',
    seedDemoData: false,
    fault: 'none',
  });
});

test('the password comes from the file before the variable, without its last line break', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'myfin-')), 'password');
  writeFileSync(file, 'from-file\n');
  const config = readConfig({ DB_PASSWORD: 'from-variable', DB_PASSWORD_FILE: file });
  expect(config.database.password).toBe('from-file');
});

test('a password file that is missing is named', () => {
  expect(() => readConfig({ DB_PASSWORD_FILE: '/nowhere/password' })).toThrow(
    new ConfigError('DB_PASSWORD_FILE: cannot read /nowhere/password'),
  );
});

test('every bad variable is reported at once', () => {
  const bad = { PORT: 'many', LOG_LEVEL: 'loud', CURRENCY: 'euro', SEED_DEMO_DATA: 'perhaps' };
  for (const name of Object.keys(bad)) expect(() => readConfig(bad)).toThrow(`${name}: `);
});

test('a commit that is not named is unknown where nothing was built', () => {
  expect(readConfig({ APP_COMMIT: '' }).commit).toBe('unknown');
});
