import { signal } from '@preact/signals';

export const isHelpOpen = signal(false);

const storageKey = 'wealist-dashboard-keys';

/** Whether single keys do something; a user of speech input switches them off. */
export const areKeysOn = signal(localStorage.getItem(storageKey) !== 'off');

export function setKeysOn(value: boolean): void {
  areKeysOn.value = value;
  localStorage.setItem(storageKey, value ? 'on' : 'off');
}

export const keys: readonly (readonly [key: string, what: string])[] = [
  ['/', 'go to the filter'],
  ['j', 'next row'],
  ['k', 'previous row'],
  ['Enter', 'open the row'],
  ['Esc', 'leave a field; clear the row; back to Services'],
  ['l', 'logs of the row, or of the service'],
  ['r', 'reload the row, or the service'],
  ['m', 'set a mark in the log'],
  ['.', 'pause the log, or go on; on Services: watch the row, or stop'],
  ['?', 'these keys'],
];
