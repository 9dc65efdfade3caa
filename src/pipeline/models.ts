import { model } from 'millrace'
import { route } from './features.ts'

/** The probability that the route's next flight arrives more than 15 minutes late. Trained in models/late-arrival. */
export const lateArrival = model('late-arrival', {
  from: route,
  inputs: [
    'arrivals6h',
    'arrivals1d',
    'arrivals7d',
    'arrivals30d',
    'lateShare6h',
    'lateShare1d',
    'lateShare30d',
    'meanDelay6h',
    'meanDelay1d',
    'meanDelay7d',
    'worstDelay1d',
    'bestDelay7d',
    'lateMinutes7d',
    'lastDelay',
    'lastHour',
    'lastWeekday',
    'distance',
    'sinceArrival',
    'sinceLate',
  ],
  owner: 'route desk',
})
