// The workbook that is generated from the catalog: burn, budget left, changes over the error rate.
param location string
param tags object
param environmentName string
param workspaceId string

// Its queries name no resource: they are asked of the one that stands in place of Azure Monitor.
var contents = replace(loadTextContent('../generated/workbook.json'), '"Azure Monitor"', '"${workspaceId}"')

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'backstop')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Backstop ${environmentName}'
    category: 'workbook'
    serializedData: contents
    sourceId: workspaceId
  }
}

output id string = workbook.id
