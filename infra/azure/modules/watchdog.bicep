// Who watches Backstop: an app that stands still, or is shut out of its tables, can tell nobody. Azure reads both
// apps' logs and tells people by itself; nothing of Backstop's is on that way.
param location string
param tags object
param environmentName string

@description('Where both apps log to.')
param workspaceId string

@description('Both apps: app, and site, its name in Azure.')
param apps array

@description('Addresses that are told; the subscription\'s owners where there are none.')
param contacts array

var query = loadTextContent('../watchdog.kql')
var owner = '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-backstop-watchdog-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'bstop-watch'
    emailReceivers: [
      for (address, i) in contacts: {
        name: 'contact-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
    armRoleReceivers: empty(contacts) ? [{ name: 'owners', roleId: owner, useCommonAlertSchema: true }] : []
  }
}

resource still 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for app in apps: {
    name: 'backstop-${environmentName}-${app.app}-stands-still'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Backstop itself: the ${app.app} stands still'
      description: 'Its timer has not done its work for 15 minutes, or its tables refuse it. It pages nobody now: docs/runbooks/readiness.md.'
      enabled: true
      severity: 1
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: replace(query, '{site}', app.site)
            timeAggregation: 'Minimum'
            metricMeasureColumn: 'Worked'
            operator: 'LessThan'
            threshold: 3
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [group.id] }
    }
  }
]
