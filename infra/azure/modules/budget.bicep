// A monthly budget of Backstop's own resource group, which tells people before it is spent.
param amount int

@description('The first day of a month, from which the budget counts.')
param startDate string

@description('Addresses that are told; the group\'s owners where there are none.')
param contacts array

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: 'backstop'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      nearlySpent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: contacts
        contactRoles: empty(contacts) ? ['Owner'] : []
      }
      willBeSpent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: contacts
        contactRoles: empty(contacts) ? ['Owner'] : []
      }
    }
  }
}
