// A page as a customer would write it: the unmodified SDK, and nothing changed but the DSN.

import * as Sentry from '@sentry/browser';

Sentry.init({
  dsn: document.querySelector('meta[name=dsn]').content,
  environment: 'production',
  release: 'corner-shop@1.4.0',
  integrations: [Sentry.replayIntegration({maskAllText: false, blockAllMedia: false})],
  replaysSessionSampleRate: 1.0,
  replaysOnErrorSampleRate: 1.0,
});
Sentry.setUser({id: '4711', username: 'maria', email: 'maria@example.com'});
Sentry.setTag('plan', 'family');

let count = 0;
for (const button of document.querySelectorAll('.add')) {
  button.addEventListener('click', async () => {
    count += 1;
    document.getElementById('basket').textContent = `Basket: ${count}`;
    console.log('added', button.parentElement.querySelector('h2').textContent, {count});
    await fetch('stock.json');
  });
}
document.getElementById('pay').addEventListener('click', () => {
  document.getElementById('pay').textContent = 'Paying…';
  console.warn('payment provider is slow');
  throw new TypeError('payment provider is not defined');
});
// The coupon button does nothing: who clicks it again and again is rightly angry.
